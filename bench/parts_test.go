package bench

import (
	"bufio"
	"bytes"
	"database/sql"
	"strings"
	"testing"
)

func TestLastLine(t *testing.T) {
	for given, want := range map[string]string{
		"one\n\x1b[31mfatal: no\x1b[0m\n\n": "fatal: no", "": "", "x\n" + strings.Repeat("y", 300): strings.Repeat("y", 200),
	} {
		if got := lastLine([]byte(given)); got != want {
			t.Errorf("%q ends with %q, want %q", given, got, want)
		}
	}
}

func TestWriteRow(t *testing.T) {
	var out bytes.Buffer
	to := bufio.NewWriter(&out)
	writeRow(to, []sql.RawBytes{[]byte("a\tb\n\\\x00"), nil, {}})
	check(t, to.Flush())
	if want := "a\\tb\\n\\\\\\0\t\\N\t\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestSettingsOfAPart(t *testing.T) {
	for _, p := range append(parts, peersPart) {
		for _, name := range p.settings {
			t.Setenv(name, "")
		}
	}
	t.Setenv("BENCH_ROUNDS", "7")
	t.Setenv("BENCH_MEMORY", "1,2")
	h := &harness{TB: t}
	for name, want := range map[string]string{
		"memory": "BENCH_MEMORY=1,2 make bench PARTS=memory", "sync": "BENCH_ROUNDS=7 make bench PARTS=sync", "peers": "BENCH_ROUNDS=7 make bench-peers",
	} {
		if got := h.command(chosen(t, name)[0]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if s := whole(t); s.rounds != 7 || len(s.memory) != 2 || s.memory[1] != 2 {
		t.Errorf("the sizes are %+v", s)
	}
}
