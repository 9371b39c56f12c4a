// Netty's own framing, one event loop, and a flush when a read is complete.
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LineBasedFrameDecoder;
import java.net.InetSocketAddress;

public final class NettyServer {
    private static final int MAX_FRAME_BYTES = 1 << 20;

    private static ByteBuf reversed(ByteBuf line) {
        int size = line.readableBytes();
        ByteBuf reply = line.alloc().buffer(size + 1);
        for (int i = size - 1; i >= 0; i--) reply.writeByte(line.getByte(line.readerIndex() + i));
        line.release();
        return reply.writeByte('\n');
    }

    public static void main(String[] arguments) throws Exception {
        boolean echo = arguments[0].equals("echo");
        NioEventLoopGroup loop = new NioEventLoopGroup(1);
        Channel listener = new ServerBootstrap().group(loop).channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 1024)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(new ChannelInitializer<SocketChannel>() {
                @Override protected void initChannel(SocketChannel channel) {
                    channel.pipeline().addLast(echo
                        ? new LengthFieldBasedFrameDecoder(MAX_FRAME_BYTES, 0, 4)
                        : new LineBasedFrameDecoder(MAX_FRAME_BYTES));
                    channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                        @Override public void channelRead(ChannelHandlerContext context, Object message) {
                            context.write(echo ? message : reversed((ByteBuf) message), context.voidPromise());
                        }
                        @Override public void channelReadComplete(ChannelHandlerContext context) {
                            context.flush();
                        }
                        @Override public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                            context.close();
                        }
                    });
                }
            })
            .bind("127.0.0.1", 0).sync().channel();
        System.out.println("{\"port\":" + ((InetSocketAddress) listener.localAddress()).getPort() + "}");
        while (System.in.read() >= 0) continue;
        System.exit(0);
    }
}
