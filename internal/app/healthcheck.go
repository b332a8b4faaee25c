package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"padron"
)

// healthTime bounds a health check: less than a container's runtime waits.
const healthTime = 4 * time.Second

// HealthCheck asks /healthz of the service that listens on address in this very
// machine, over TLS or not. Its certificate is not verified, which is why it
// asks loopback addresses and no other ones.
func HealthCheck(ctx context.Context, address string, withTLS bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if !isLoopback(host) || port == "0" {
		return padron.Errorf(padron.CodeInvalid,
			"%s cannot be checked from here: it must listen on a known port of every address (such as 0.0.0.0:8443) or of 127.0.0.1", address)
	}
	scheme := "http"
	if withTLS {
		scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, //nolint:gosec // loopback only, see above
	}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxHeader))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", resp.Status)
	}
	return nil
}
