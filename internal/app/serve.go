package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// drainTime is how long requests under way may take after a stop signal.
	drainTime = 10 * time.Second
	maxHeader = 32 << 10 // bytes
)

// Endpoint is a handler at an address that is already taken.
type Endpoint struct {
	Listener net.Listener
	Handler  http.Handler
	TLS      *tls.Config
	// Slow: an answer may take as long as it takes.
	Slow bool
}

// Listen takes the address, with a clear error where it is in use.
func Listen(ctx context.Context, name, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s=%s cannot be served (%w): stop what listens there or choose another address", name, address, err)
	}
	return l, nil
}

// URL returns the endpoint's address as a person would paste it: one that
// listens on every address is reached at this machine's own.
func (e *Endpoint) URL() string {
	scheme := "http"
	if e.TLS != nil {
		scheme = "https"
	}
	address := e.Listener.Addr().String()
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			address = net.JoinHostPort("127.0.0.1", port)
		}
	}
	return scheme + "://" + address
}

// Serve serves every endpoint until ctx ends, then lets requests under way
// finish.
func Serve(ctx context.Context, logger *slog.Logger, endpoints ...*Endpoint) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, e := range endpoints {
		server := &http.Server{
			Handler: e.Handler, TLSConfig: e.TLS, MaxHeaderBytes: maxHeader,
			ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		}
		if e.Slow {
			server.WriteTimeout = 0
		}
		g.Go(func() error { return serveOne(server, e) })
		g.Go(func() error {
			<-ctx.Done()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			if err := server.Shutdown(drain); err != nil {
				logger.Warn("requests under way were cut off", "after", drainTime.String())
				return server.Close()
			}
			return nil
		})
	}
	return g.Wait()
}

func serveOne(server *http.Server, e *Endpoint) error {
	var err error
	if e.TLS != nil {
		err = server.ServeTLS(e.Listener, "", "")
	} else {
		err = server.Serve(e.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// certReloader keeps a certificate until its file changes.
type certReloader struct {
	cert, key string
	mu        sync.Mutex
	loaded    *tls.Certificate
	stamp     time.Time
}

func (r *certReloader) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(r.cert)
	if err == nil && r.loaded != nil && info.ModTime().Equal(r.stamp) {
		return r.loaded, nil
	}
	pair, loadErr := tls.LoadX509KeyPair(r.cert, r.key)
	if err != nil || loadErr != nil {
		if r.loaded != nil {
			return r.loaded, nil // half-replaced files: keep the old one
		}
		return nil, fmt.Errorf("load PADRON_TLS_CERT and PADRON_TLS_KEY: %w", errors.Join(err, loadErr))
	}
	r.loaded, r.stamp = &pair, info.ModTime()
	return r.loaded, nil
}

// NewRegistry returns a registry of metrics that has those of the process.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// Admin returns the handler of the admin address: health, metrics, profiles.
func Admin(health http.Handler, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", health)
	mux.Handle("GET /readyz", health)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
