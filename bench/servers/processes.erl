%% A process for each connection, and the runtime's own framing.
-module(processes).
-export([main/1]).

main([Service | _]) ->
    Packet = case Service of "reverse" -> line; _ -> 4 end,
    {ok, Listener} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {packet, Packet}, {active, false},
        {nodelay, true}, {backlog, 1024}]),
    {ok, Port} = inet:port(Listener),
    io:format("{\"port\":~p}~n", [Port]),
    [spawn_link(fun() -> accept(Listener, Service) end) || _ <- lists:seq(1, 10)],
    wait().

wait() ->
    case io:get_line("") of
        eof -> halt();
        _ -> wait()
    end.

accept(Listener, Service) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Pid = spawn(fun() -> receive go -> serve(Socket, Service) end end),
    ok = gen_tcp:controlling_process(Socket, Pid),
    Pid ! go,
    accept(Listener, Service).

serve(Socket, Service) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Message} ->
            gen_tcp:send(Socket, answer(Service, Message)),
            serve(Socket, Service);
        {error, _} ->
            gen_tcp:close(Socket)
    end.

answer("echo", Message) -> Message;
answer("reverse", Line) ->
    Text = binary:part(Line, 0, byte_size(Line) - 1),
    [lists:reverse(binary_to_list(Text)), $\n].
