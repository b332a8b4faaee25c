package mysql_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy forwards connections, and breaks all of them after so many bytes from
// the clients, or one in the place of an answer.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	left     int64 // negative is without end
	lose     []byte
	conns    map[net.Conn]struct{}
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, left: -1, conns: map[net.Conn]struct{}{}}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(from, to)
		}
	}()
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// breakAfter breaks the connections after so many bytes more, -1 for never. It
// reports whether they held until now.
func (p *proxy) breakAfter(bytes int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.left != 0
	p.left = bytes
	return held
}

// loseAnswer breaks the next connection on which a client sends such a text, once
// the server has answered: the client never learns it.
func (p *proxy) loseAnswer(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = []byte(to)
}

// lost reports whether the answer to what a client sent is to be lost.
func (p *proxy) lost(sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == nil || !bytes.Contains(sent, p.lose) {
		return false
	}
	p.lose = nil
	return true
}

func (p *proxy) serve(from net.Conn, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		_ = from.Close()
		return
	}
	p.mu.Lock()
	p.conns[from], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	var lost atomic.Bool
	go func() {
		_, _ = io.Copy(unless{&lost, from}, server)
		_ = from.Close()
	}()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		n, open := p.take(n)
		if p.lost(buf[:n]) {
			lost.Store(true)
		}
		_, _ = server.Write(buf[:n])
		if err != nil || !open {
			_ = server.Close()
			break
		}
	}
	if _, open := p.take(0); !open {
		p.closeAll()
	}
}

// unless writes what is not lost.
type unless struct {
	lost *atomic.Bool
	to   io.Writer
}

func (u unless) Write(answer []byte) (int, error) {
	if u.lost.Load() {
		return 0, io.ErrClosedPipe
	}
	return u.to.Write(answer)
}

// take spends bytes and reports how many may pass, and whether any may later.
func (p *proxy) take(n int) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left < 0 {
		return n, true
	}
	n = int(min(int64(n), p.left))
	p.left -= int64(n)
	return n, p.left > 0
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}
