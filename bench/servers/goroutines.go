// A goroutine for each connection; replies leave when no more input is buffered.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
)

func echo(in *bufio.Reader, out *bufio.Writer) error {
	var head [4]byte
	var message []byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		size := int(binary.BigEndian.Uint32(head[:]))
		if cap(message) < size {
			message = make([]byte, size)
		}
		message = message[:size]
		if _, err := io.ReadFull(in, message); err != nil {
			return err
		}
		out.Write(head[:])
		out.Write(message)
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func reverse(in *bufio.Reader, out *bufio.Writer) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		for i, j := 0, len(line)-2; i < j; i, j = i+1, j-1 {
			line[i], line[j] = line[j], line[i]
		}
		out.Write(line)
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func main() {
	answer := echo
	if os.Args[1] == "reverse" {
		answer = reverse
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				answer(bufio.NewReader(connection), bufio.NewWriter(connection))
				connection.Close()
			}()
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}
