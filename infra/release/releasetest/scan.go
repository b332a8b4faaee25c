package releasetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"padron/infra/images"
)

// Scanned records the images, and says what the scan of each of their platforms
// ends as, and with findings of which severities: CVE-2026-1111 is the first,
// CVE-2026-2222 the second.
func (b *Bench) Scanned(t testing.TB, all []images.Built, status types.ScanStatus, severities ...string) {
	t.Helper()
	b.Record(t, all)
	var results []any
	for _, built := range all {
		for _, digest := range built.Platforms {
			repository := b.repository(built.Name)
			id := &types.ImageIdentifier{ImageDigest: aws.String(digest)}
			if _, err := b.client().StartImageScan(t.Context(), &ecr.StartImageScanInput{RepositoryName: &repository, ImageId: id}); err != nil {
				t.Fatal(err)
			}
			results = append(results, map[string]any{
				"repositoryName": repository, "imageId": map[string]any{"imageDigest": digest},
				"imageScanStatus":   map[string]any{"status": status, "description": "as the test has it"},
				"imageScanFindings": map[string]any{"imageScanCompletedAt": 1.7e9, "enhancedFindings": enhanced(severities)},
			})
		}
	}
	b.tell(t, results)
}

// tell gives the emulation the results of scans, which it makes none of itself.
func (b *Bench) tell(t testing.TB, results []any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"results": results, "account_id": b.Env.Account, "region": b.Env.Region})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Account.URL+"/moto-api/static/ecr/scan-finding-results", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is read
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("the results of scans: %s", response.Status)
	}
}

func enhanced(severities []string) []any {
	found := []any{}
	for i, severity := range severities {
		found = append(found, map[string]any{
			"severity": severity, "status": "ACTIVE", "type": "PACKAGE_VULNERABILITY", "title": "a finding",
			"packageVulnerabilityDetails": map[string]any{
				"vulnerabilityId":    fmt.Sprintf("CVE-2026-%d", 1111*(i+1)),
				"vulnerablePackages": []any{map[string]any{"name": "golang.org/x/net", "version": "v0.1.0", "fixedInVersion": "0.2.0"}},
			},
		})
	}
	return found
}
