//! A task for each connection on one thread; the replies of one read leave in one write.
use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Appends the replies to what is complete in `input`, and says how many bytes that was.
type Answer = fn(input: &[u8], output: &mut Vec<u8>) -> usize;

fn echo(input: &[u8], output: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(head) = input.get(at..at + 4) {
        let end = at + 4 + u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if end > input.len() {
            break;
        }
        output.extend_from_slice(&input[at..end]);
        at = end;
    }
    at
}

fn reverse(input: &[u8], output: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(length) = input[at..].iter().position(|&byte| byte == b'\n') {
        output.extend(input[at..at + length].iter().rev());
        output.push(b'\n');
        at += length + 1;
    }
    at
}

async fn serve(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut output) = (Vec::with_capacity(4096), Vec::new());
    while stream.read_buf(&mut input).await? > 0 {
        output.clear();
        let used = answer(&input, &mut output);
        input.drain(..used);
        if !output.is_empty() {
            stream.write_all(&output).await?;
        }
        if input.len() == input.capacity() {
            input.reserve(input.len());
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let answer: Answer = if std::env::args().nth(1).as_deref() == Some("reverse") { reverse } else { echo };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{{\"port\":{}}}", listener.local_addr()?.port());
        tokio::task::LocalSet::new()
            .run_until(async move {
                loop {
                    let (stream, _) = listener.accept().await?;
                    tokio::task::spawn_local(serve(stream, answer));
                }
            })
            .await
    })
}
