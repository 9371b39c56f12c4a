/** Hawser's server, whose handlers here keep nothing of a request: so it lends them. */
import { serve } from "./hawserServer.ts"

serve("lent")
