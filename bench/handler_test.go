package bench

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// bareEnv tells this binary to be the bare handler over the database it names.
const bareEnv = "BENCH_BARE"

func TestMain(m *testing.M) {
	if name := os.Getenv(bareEnv); name != "" {
		fmt.Fprintln(os.Stderr, serveBare(name))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// bare runs the bare handler as a process over a register.
func (h *harness) bare(of register) (base string, done func()) {
	h.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareEnv+"="+dsn(h, of))
	cmd.Stderr = os.Stderr
	_ = must(cmd.StdinPipe())(h) // the handler ends when this closes
	out := must(cmd.StdoutPipe())(h)
	check(h, cmd.Start())
	base = strings.TrimSpace(must(bufio.NewReader(out).ReadString('\n'))(h))
	return base, h.ending(cmd)
}

// bareRow is what a viewer's answer is made of, as it lies in the database.
type bareRow struct {
	ID           string `json:"id"`
	RegisteredAt int64  `json:"registered_at"`
	Personal     []byte `json:"personal"`
}

// serveBare is the limit of reading: a prepared SELECT and JSON. It ends with its
// input.
func serveBare(name string) error {
	db, err := sql.Open("mysql", name)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	one, err := db.Prepare("SELECT id, registered_at, personal FROM customers WHERE id = ?")
	if err != nil {
		return err
	}
	page, err := db.Prepare("SELECT id, registered_at, personal FROM customers WHERE id > ? ORDER BY id LIMIT 100")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /customer", func(w http.ResponseWriter, r *http.Request) {
		var row bareRow
		err := one.QueryRowContext(r.Context(), r.URL.Query().Get("id")).Scan(&row.ID, &row.RegisteredAt, &row.Personal)
		answer(w, row, err)
	})
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		rows, err := barePage(page, r)
		answer(w, rows, err)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	return server.Serve(listener)
}

func barePage(stmt *sql.Stmt, r *http.Request) (out []bareRow, err error) {
	rows, err := stmt.QueryContext(r.Context(), r.URL.Query().Get("after"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row bareRow
		if err := rows.Scan(&row.ID, &row.RegisteredAt, &row.Personal); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func answer(w http.ResponseWriter, value any, err error) {
	text, encodeErr := json.Marshal(value)
	if err := errors.Join(err, encodeErr); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// requests are GETs as they go over the wire: the client must not cost more than
// the limit it measures.
func requests(base, token string, paths []string) (out [][]byte) {
	host := strings.TrimPrefix(base, "http://")
	for _, path := range paths {
		text := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
		if token != "" {
			text += "Authorization: Bearer " + token + "\r\n"
		}
		out = append(out, []byte(text+"\r\n"))
	}
	return out
}

// read sends requests over every connection, one after the other, for as long as
// h.hold, and returns how long each answer took.
func (h *harness) read(base string, requests [][]byte) (times []time.Duration) {
	h.Helper()
	parts, errs := make([][]time.Duration, readers), make([]error, readers)
	end := time.Now().Add(h.hold)
	var group sync.WaitGroup
	for c := range readers {
		group.Go(func() {
			parts[c], errs[c] = readUntil(end, must(url.Parse(base))(h).Host, requests, c*len(requests)/readers)
		})
	}
	group.Wait()
	check(h, errors.Join(errs...))
	for _, part := range parts {
		times = append(times, part...)
	}
	if len(times) == 0 {
		h.Fatal("nothing was read")
	}
	return times
}

// readUntil is one connection; it begins with the request of an index.
func readUntil(end time.Time, host string, requests [][]byte, at int) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	for ; time.Now().Before(end); at++ {
		started := time.Now()
		if _, err := conn.Write(requests[at%len(requests)]); err != nil {
			return nil, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s", resp.Status)
		}
		times = append(times, time.Since(started))
	}
	return times, nil
}

// freeAddress is where nobody listened a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer listener.Close()
	return listener.Addr().String()
}
