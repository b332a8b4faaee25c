package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/bench/report"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 4}, 4}, {[]float64{8, 1, 2, 4}, 3}} {
		if got := report.Median(c.values); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
	}
	if !math.IsNaN(report.Median(nil)) {
		t.Error("nothing has a median")
	}
}

// sample has a limit that doubles from round to round, and a figure that follows
// it: only the ratios of each round are alike.
func sample() *report.Part {
	p := &report.Part{Title: "Synchronizing <it>", Date: "2026-01-02", Commit: "abc", Machine: "2 processors", Command: "make bench PARTS=sync", Rounds: 3}
	p.Declare(
		report.Figure{Name: "limit", What: "bare load", Short: "the limit", Unit: "customers/s"},
		report.Figure{
			Name: "first", What: "first synchronization", Short: "the first", Unit: "customers/s",
			Goals: []report.Goal{{Of: "limit", Least: 0.7}, {Of: "missing", Least: 1}, {Of: "later", Least: 1}},
		},
		report.Figure{Name: "later", What: "not measured yet", Unit: "customers/s"},
		report.Figure{Name: "rows", What: "rows written", Short: "rows", Unit: "rows", Goals: []report.Goal{{Most: 10}}},
	)
	p.Figure("limit").Runs = []float64{100_000, 200_000, 400_000}
	p.Figure("first").Runs = []float64{75_000, 150_000, 300_000}
	p.Figure("rows").Runs = []float64{11}
	return p
}

func TestRatioIsOfOneRound(t *testing.T) {
	p := sample()
	p.Figure("first").Runs[2] = 1 // one bad round
	first := p.Figure("first")
	if got := p.Value(first, first.Goals[0]); got != 0.75 {
		t.Errorf("the ratio is %v, want 0.75", got)
	}
	p.Figure("first").Runs[2] = 300_000
	want := []string{"**0.75** of the limit, goal at least 0.70: reached"}
	if diff := cmp.Diff(want, p.Verdicts(first)); diff != "" {
		t.Error(diff)
	}
	want = []string{"goal at most 10 rows: **missed**"}
	if diff := cmp.Diff(want, p.Verdicts(p.Figure("rows"))); diff != "" {
		t.Error(diff)
	}
}

const document = "# Title\n<!-- bench:plot -->\n<!-- /bench:plot -->\nby hand\n<!-- bench:sync -->\nold\n<!-- /bench:sync -->\nmore by hand\n<!-- bench:read -->\nkept\n<!-- /bench:read -->\n"

func TestFill(t *testing.T) {
	results := &report.Results{Parts: map[string]*report.Part{"sync": sample()}}
	once, err := report.Fill(document, "b.svg", results)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Title\n<!-- bench:plot -->\n![", "](b.svg)\n<!-- /bench:plot -->\nby hand\n<!-- bench:sync -->\n2026-01-02, commit abc, ", "| bare load | 200,000 customers/s | 100,000 · 200,000 · 400,000 |",
		"`make bench PARTS=sync`", "<!-- /bench:sync -->\nmore by hand\n<!-- bench:read -->\nkept\n",
	} {
		if !strings.Contains(once, want) {
			t.Errorf("%q is not in\n%s", want, once)
		}
	}
	for _, gone := range []string{"old", "not measured yet", "NaN"} {
		if strings.Contains(once, gone) {
			t.Errorf("%q is still in\n%s", gone, once)
		}
	}
	if twice, err := report.Fill(once, "b.svg", results); err != nil || twice != once {
		t.Errorf("the second time: %v\n%s", err, cmp.Diff(once, twice))
	}
}

func TestFillWantsMarkers(t *testing.T) {
	results := &report.Results{Parts: map[string]*report.Part{"scale": sample()}}
	if text, err := report.Fill(document, "b.svg", results); err == nil || !strings.Contains(err.Error(), "<!-- bench:scale -->") {
		t.Errorf("got %v and\n%s", err, text)
	}
}

func TestBusyMachineIsTold(t *testing.T) {
	p := sample()
	p.Busy, p.Partial = 0.8, true
	text, err := report.Fill(document, "b.svg", &report.Results{Parts: map[string]*report.Part{"sync": p}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"**the machine was busy**", "processors 80% in use", "**Interrupted"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestBookKeepsOtherParts(t *testing.T) {
	dir := t.TempDir()
	book := &report.Book{Data: filepath.Join(dir, "b.json"), Document: filepath.Join(dir, "b.md"), Plot: filepath.Join(dir, "b.svg")}
	if err := os.WriteFile(book.Document, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sync", "read"} {
		results, err := book.Load()
		if err != nil {
			t.Fatal(err)
		}
		results.Parts[name] = sample()
		if err := book.Save(results); err != nil {
			t.Fatal(err)
		}
	}
	results, err := book.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]*report.Part{"sync": sample(), "read": sample()}, results.Parts); diff != "" {
		t.Error(diff)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 3 {
		t.Errorf("there are %v, %v", names, err)
	}
}

func TestPlotIsXML(t *testing.T) {
	plot := report.Plot(&report.Results{Parts: map[string]*report.Part{"sync": sample(), "own": sample(), "none": {}}})
	decoder := xml.NewDecoder(bytes.NewReader(plot))
	rects := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, plot)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "rect" {
			rects++
		}
	}
	if rects != 1+2*2 { // the ground, and two figures of the first unit for each part
		t.Errorf("%d rects in\n%s", rects, plot)
	}
	for _, want := range []string{"prefers-color-scheme: dark", "Synchronizing &lt;it&gt;", `class="limit"`, "200,000 customers/s"} {
		if !strings.Contains(string(plot), want) {
			t.Errorf("%q is not in\n%s", want, plot)
		}
	}
}

func TestMachine(t *testing.T) {
	if m := report.Machine(); !strings.Contains(m, "processors of ") {
		t.Error(m)
	}
	if report.Memory(os.Getpid()) < 1<<20 {
		t.Error("this process has no memory")
	}
	before := report.Tick()
	if used, stolen := before.Since(report.Clock{}); used <= 0 || used > 1 || stolen < 0 || stolen > 1 {
		t.Errorf("%v used, %v stolen", used, stolen)
	}
	if used, _ := before.Since(before); used != 0 {
		t.Errorf("%v used in no time", used)
	}
}

func TestNumber(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 0.123456: "0.123", 45.67: "45.7", 183_456: "183,000", 1_234_567: "1,230,000", 999.6: "1,000", 100: "100"} {
		if got := report.Number(value); got != want {
			t.Errorf("%v is %q, want %q", value, got, want)
		}
	}
}
