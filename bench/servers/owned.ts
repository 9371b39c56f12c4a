/** Hawser's server with all defaults: a request is the handler's for good. */
import { serve } from "./hawserServer.ts"

serve("owned")
