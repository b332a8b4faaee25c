package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"sync"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// line is a way over the network that a test can make bad.
type line struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// silence turns off what toxiproxy says by a logger of its own.
var silence = sync.OnceFunc(func() { zerolog.SetGlobalLevel(zerolog.Disabled) })

func newLine(t *testing.T, to string) *line {
	t.Helper()
	silence()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &line{t, toxiproxy.NewProxy(server, "line", "127.0.0.1:0", to)}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

func (l *line) addr() string { return l.proxy.Listen }

// trouble is something that toxiproxy does to a line, by its name and attributes.
type trouble struct {
	kind       string
	attributes map[string]any
}

// add brings trouble both ways.
func (l *line) add(what trouble) {
	l.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		text, err := json.Marshal(map[string]any{
			"name": what.kind + stream, "type": what.kind, "stream": stream, "toxicity": 1.0, "attributes": what.attributes,
		})
		if err != nil {
			l.t.Fatal(err)
		}
		if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
			l.t.Fatal(err)
		}
	}
}

// heal ends all trouble.
func (l *line) heal() { l.proxy.Toxics.ResetToxics(context.Background()) }

// lead cuts every connection and leads the next ones elsewhere, as a name does
// after a failover.
func (l *line) lead(to string) {
	l.t.Helper()
	if err := l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: to, Enabled: true}); err != nil {
		l.t.Fatal(err)
	}
	if _, err := net.Dial("tcp", l.addr()); err != nil {
		l.t.Fatal(err)
	}
}
