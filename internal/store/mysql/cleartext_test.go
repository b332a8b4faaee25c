package mysql_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
)

// askForCleartext is a server that asks every client for its password in clear,
// as RDS does for users of IAM, which MariaDB has no plugin for. It returns its
// port and what clients answered, "" for one that would not.
func askForCleartext(t *testing.T, withTLS *tls.Config) (port string, answers <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan string, 8)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			out <- readCleartext(conn, withTLS)
			_ = conn.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, out
}

// readCleartext speaks the beginning of MySQL's protocol, version 10.
func readCleartext(conn net.Conn, withTLS *tls.Config) string {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	const protocol41, secure, pluginAuth, tlsBit = 0x200, 0x8000, 0x80000, 0x800
	capabilities := protocol41 | secure | pluginAuth
	if withTLS != nil {
		capabilities |= tlsBit
	}
	var b bytes.Buffer
	b.WriteString("\x0a8.0.0\x00" + "\x01\x00\x00\x00" + "saltsalt\x00")
	b.Write([]byte{byte(capabilities), byte(capabilities >> 8), 45, 2, 0, byte(capabilities >> 16), byte(capabilities >> 24), 21})
	b.WriteString(strings.Repeat("\x00", 10) + "saltsaltsalt\x00" + "mysql_clear_password\x00")
	if err := writePacket(conn, 0, b.Bytes()); err != nil {
		return ""
	}
	answer, err := readPacket(conn)
	if err != nil {
		return ""
	}
	if withTLS != nil { // the first answer only asks for TLS
		encrypted := tls.Server(conn, withTLS)
		if answer, err = readPacket(encrypted); err != nil {
			return ""
		}
	}
	_, rest, _ := bytes.Cut(answer[32:], []byte{0}) // past the user's name
	length := int(rest[0])
	head := 1
	if length == 0xfc { // a length of two bytes follows
		length, head = int(rest[1])|int(rest[2])<<8, 3
	}
	return strings.TrimSuffix(string(rest[head:head+length]), "\x00")
}

func writePacket(w io.Writer, sequence byte, payload []byte) error {
	_, err := w.Write(append([]byte{byte(len(payload)), byte(len(payload) >> 8), 0, sequence}, payload...))
	return err
}

func readPacket(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	payload := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err := io.ReadFull(r, payload)
	return payload, err
}

// TestPasswordInClear: a password leaves in clear only to a server that has
// proven who it is.
func TestPasswordInClear(t *testing.T) {
	server := mysqltest.Shared(t)
	dir := filepath.Dir(server.CAFile())
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	withTLS := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	for name, c := range map[string]struct {
		tls   *tls.Config
		query string
		want  bool
	}{
		"verified":    {withTLS, "tls=true&ca=" + server.CAFile(), true},
		"not checked": {withTLS, "tls=skip-verify", false},
		"plain":       {nil, "tls=false", false},
	} {
		port, answers := askForCleartext(t, c.tls)
		cfg, err := mysql.ParseURL("mysql://127.0.0.1:" + port + "/x?" + c.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = mysql.Open(t.Context(), cfg, mysql.WithCredentials(func(context.Context, padron.Sensitive) (string, padron.Sensitive, error) {
			return "padron_synchronizer", "a-token", nil
		}))
		if err == nil || strings.Contains(err.Error(), "a-token") {
			t.Errorf("%s: %v", name, err)
		}
		// Whoever may not answer in clear answers a challenge, which tells nothing.
		if got := <-answers; got == "" || (got == "a-token") != c.want {
			t.Errorf("%s: the server got the token in clear: %t, want %t", name, got == "a-token", c.want)
		}
	}
}
