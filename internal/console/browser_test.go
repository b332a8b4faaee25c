package console_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"padron"
	"padron/internal/app/apptest"
)

// chromium starts a real browser, and fails where there is none: `make test`
// installs it.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: run scripts/test-deps", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// requests collects the addresses that pages ask for.
type requests struct {
	mu   sync.Mutex
	urls []string
}

func (r *requests) watch(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.urls = append(r.urls, e.Request.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// tab is a page of the browser that a test drives.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// read returns what an action finds on the page.
func read[T any](b tab, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// shot takes a picture of the page for a person to look at, where SCREENSHOTS
// names a folder.
func (b tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), read(b, chromedp.FullScreenshot(100)), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func TestInABrowser(t *testing.T) {
	r := apptest.Start(t, 60, 1)
	var id, name string
	r.Provider.Truth(func(i string, record map[string]any) bool {
		id, name = i, record["user_name"].(string)
		return false
	})
	b := tab{t, chromium(t)}
	b.do(chromedp.EmulateViewport(1280, 900))
	asked := &requests{}
	asked.watch(b.ctx, t)

	b.do(chromedp.Navigate(r.URL + "/"))
	b.shot("1-sign-in")
	b.do(chromedp.SendKeys("#token", r.Tokens[padron.RoleAdmin]), chromedp.Click("main button"), chromedp.WaitVisible("table"))
	b.shot("2-list")
	b.do(chromedp.SetValue("#field", "user_name"), chromedp.SendKeys("#value", name), chromedp.Click(`form[action="/console/search"] button`),
		chromedp.WaitVisible("main > h2"))
	found := read(b, chromedp.Text("tbody"))
	b.shot("3-search")
	b.do(chromedp.Click(`a[href="/console/customers/`+id+`"]`), chromedp.WaitVisible("#purpose"))
	heading := read(b, chromedp.Text("h1"))
	b.shot("4-customer")
	b.do(chromedp.Click(`input[value="card_number"]`), chromedp.SendKeys("#purpose", "checking a disputed charge"),
		chromedp.Click(`form[action$="/reveal"] button`), chromedp.WaitVisible(".revealed"))
	revealed := read(b, chromedp.Text(".revealed dd"))
	b.shot("5-reveal")

	// A telephone, at night, in Spanish.
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(r.URL+"/console/language/es"), chromedp.WaitVisible("table"))
	b.shot("6-list-small")
	wide := read(b, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
	b.do(chromedp.Navigate(r.URL+"/console/customers/"+id), chromedp.WaitVisible("#purpose"))
	b.shot("7-customer-small")

	if heading != name || !strings.Contains(found, name) {
		t.Errorf("found %q, heading %q, want %q", found, heading, name)
	}
	if len(padron.Digits(revealed)) < 12 {
		t.Errorf("revealed %q", revealed)
	}
	if wide {
		t.Error("the page is wider than a telephone")
	}
	asked.mu.Lock()
	defer asked.mu.Unlock()
	if len(asked.urls) < 8 {
		t.Errorf("only %d requests were seen", len(asked.urls))
	}
	for _, u := range asked.urls {
		// The browser draws its date field's icon from a data: address of its own.
		if !strings.HasPrefix(u, r.URL+"/") && !strings.HasPrefix(u, "data:") {
			t.Errorf("a page asked %s, which is elsewhere", u)
		}
	}
}
