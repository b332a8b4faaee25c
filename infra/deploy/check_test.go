package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// manager answers for Systems Manager, whose emulation runs no command: errors
// by name first, then what there is.
type manager struct {
	sends, gets []string
	answer      map[string]any
	sent        map[string]any
}

func (m *manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	refuse := func(name string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": name})
	}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendCommand") {
		if len(m.sends) > 0 {
			refuse(m.sends[0])
			m.sends = m.sends[1:]
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&m.sent)
		_ = json.NewEncoder(w).Encode(map[string]any{"Command": map[string]any{"CommandId": "c-1"}})
		return
	}
	if len(m.gets) > 0 {
		next := m.gets[0]
		m.gets = m.gets[1:]
		if next == "InvocationDoesNotExist" {
			refuse(next)
		} else {
			_ = json.NewEncoder(w).Encode(map[string]any{"Status": next})
		}
		return
	}
	_ = json.NewEncoder(w).Encode(m.answer)
}

func checks(outcomes ...string) string {
	var all []string
	for _, o := range outcomes {
		all = append(all, `{"check":"`+o+`-one","outcome":"`+o+`","detail":"seen"}`)
	}
	return `{"checks":[` + strings.Join(all, ",") + `]}`
}

// TestCheckAtTheBastion: only checks that were made, and of which none failed,
// are good news.
func TestCheckAtTheBastion(t *testing.T) {
	for title, c := range map[string]struct {
		manager manager
		want    string // "" is good
	}{
		"passed": {manager{answer: map[string]any{"Status": "Success", "StandardOutputContent": checks("passed", "skipped")}}, ""},
		"starts": {manager{sends: []string{"InvalidInstanceId", "InvalidInstanceId"}, gets: []string{"InvocationDoesNotExist", "Pending", "InProgress"},
			answer: map[string]any{"Status": "Success", "StandardOutputContent": checks("passed")}}, ""},
		"failed":     {manager{answer: map[string]any{"Status": "Failed", "StandardOutputContent": checks("passed", "failed")}}, "failed-one failed"},
		"no program": {manager{answer: map[string]any{"Status": "Failed", "StandardErrorContent": "fatal error: 404"}}, "tells nothing: fatal error: 404"},
		"no checks":  {manager{answer: map[string]any{"Status": "Success", "StandardOutputContent": "{}"}}, "tells nothing"},
		"a lie":      {manager{answer: map[string]any{"Status": "TimedOut", "StandardOutputContent": checks("passed")}}, "ended as TimedOut"},
		"refused":    {manager{sends: []string{"InvalidDocument"}}, "InvalidDocument"},
	} {
		t.Run(title, func(t *testing.T) {
			server := httptest.NewServer(&c.manager)
			defer server.Close()
			command := remote{client: ssm.NewFromConfig(aws.Config{
				Region: "us-east-1", BaseEndpoint: &server.URL,
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "emulated", SecretAccessKey: "emulated"}, nil
				}),
			}), instance: "i-1", document: "padron-dev-check", poll: time.Millisecond}
			parameters := map[string][]string{"version": {"v1"}}
			answer, err := command.run(t.Context(), parameters)
			var out bytes.Buffer
			if err == nil {
				err = (&Deployment{Out: &out}).judge(answer)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q\n%s", err, c.want, out.String())
			}
			if c.want == "" {
				want := map[string]any{"InstanceIds": []any{"i-1"}, "DocumentName": "padron-dev-check", "Parameters": map[string]any{"version": []any{"v1"}}, "TimeoutSeconds": 60.0}
				if diff := cmp.Diff(want, c.manager.sent); diff != "" {
					t.Error(diff)
				}
				if !slices.Contains(strings.Fields(out.String()), "passed-one") {
					t.Errorf("the table: %s", out.String())
				}
			}
		})
	}
}
