package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"padron/infra/cfn"
	"padron/infra/config"
)

// edge answers for Systems Manager, whose emulation runs no command, and for what
// else a check speaks to. Errors come by name first, then what there is.
type edge struct {
	sends, gets []string
	// answers are how the command of each document ended.
	answers map[string]map[string]any
	// exit is the exit code of the task.
	exit int
	// sent and started are the last command and task, and did is all, in order.
	sent, started map[string]any
	did           []string
}

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch action {
	case "SendCommand":
		e.send(w, r)
	case "GetCommandInvocation":
		e.get(w, r)
	case "RunTask":
		_ = json.NewDecoder(r.Body).Decode(&e.started)
		e.did = append(e.did, "task")
		answer(map[string]any{"tasks": []any{map[string]any{"taskArn": "arn:task/1"}}})
	case "DescribeTasks":
		answer(map[string]any{"tasks": []any{map[string]any{
			"taskArn": "arn:task/1", "lastStatus": "STOPPED", "containers": []any{map[string]any{"name": "users", "exitCode": e.exit}},
		}}})
	case "GetLogEvents":
		answer(map[string]any{"events": []any{map[string]any{"message": "the log of the task"}}})
	default:
		_, _ = fmt.Fprint(w, stacks)
	}
}

// refuse answers with an error of the name.
func refuse(w http.ResponseWriter, name string) {
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": name})
}

func (e *edge) send(w http.ResponseWriter, r *http.Request) {
	if len(e.sends) > 0 {
		refuse(w, e.sends[0])
		e.sends = e.sends[1:]
		return
	}
	e.sent = nil
	_ = json.NewDecoder(r.Body).Decode(&e.sent)
	document, _ := e.sent["DocumentName"].(string)
	e.did = append(e.did, document)
	_ = json.NewEncoder(w).Encode(map[string]any{"Command": map[string]any{"CommandId": document}})
}

func (e *edge) get(w http.ResponseWriter, r *http.Request) {
	if len(e.gets) == 0 {
		var asked map[string]string
		_ = json.NewDecoder(r.Body).Decode(&asked)
		_ = json.NewEncoder(w).Encode(e.answers[asked["CommandId"]])
		return
	}
	next := e.gets[0]
	e.gets = e.gets[1:]
	if next == "InvocationDoesNotExist" {
		refuse(w, next)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"Status": next})
}

// stacks is what CloudFormation tells of any stack.
const stacks = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>any</StackName>
<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>
<member><OutputKey>Cluster</OutputKey><OutputValue>padron-dev</OutputValue></member>
<member><OutputKey>TaskDefinition</OutputKey><OutputValue>arn:migration:1</OutputValue></member>
<member><OutputKey>PrivateSubnets</OutputKey><OutputValue>subnet-1,subnet-2</OutputValue></member>
<member><OutputKey>MigrationGroup</OutputKey><OutputValue>sg-1</OutputValue></member>
</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`

// at is the edge as the SDK finds it.
func (e *edge) at(t *testing.T) aws.Config {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "emulated", SecretAccessKey: "emulated"}, nil
		}),
	}
}

// ended is how a command ended, with the JSON that it printed.
func ended(status, stdout string) map[string]any {
	return map[string]any{"Status": status, "StandardOutputContent": stdout, "StandardErrorContent": "what it complains of"}
}

// checks are what padron check prints; an outcome may have a reason.
func checks(outcomes ...string) string {
	var all []string
	for _, o := range outcomes {
		outcome, reason, _ := strings.Cut(o, ":")
		all = append(all, fmt.Sprintf(`{"check":"%s-one","outcome":%q,"detail":"seen","reason":%q}`, outcome, outcome, reason))
	}
	return `{"checks":[` + strings.Join(all, ",") + `]}`
}

// wants compares an error with a part of its text, "" for none.
func wants(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%v; want %q", err, want)
	}
}

// TestCheckAtTheBastion: only checks that were made, and of which none failed,
// are good news.
func TestCheckAtTheBastion(t *testing.T) {
	for title, c := range map[string]struct {
		sends, gets []string
		answer      map[string]any
		want        string // "" is good
	}{
		"passed": {nil, nil, ended("Success", checks("passed", "skipped:too_early")), ""},
		"starts": {[]string{"InvalidInstanceId", "InvalidInstanceId"}, []string{"InvocationDoesNotExist", "Pending", "InProgress"},
			ended("Success", checks("passed")), ""},
		"failed":      {nil, nil, ended("Failed", checks("passed", "failed")), "ended as Failed: failed-one failed"},
		"not given":   {nil, nil, ended("Success", checks("passed", "skipped:not_given")), "skipped-one skipped"},
		"no reason":   {nil, nil, ended("Success", checks("passed", "skipped")), "skipped-one skipped"},
		"new outcome": {nil, nil, ended("Success", checks("passed", "unknown")), "unknown-one unknown"},
		"no program":  {nil, nil, ended("Failed", ""), "tells nothing: what it complains of"},
		"no checks":   {nil, nil, ended("Success", "{}"), "tells nothing"},
		"a lie":       {nil, nil, ended("TimedOut", checks("passed")), "ended as TimedOut"},
		"refused":     {[]string{"InvalidDocument"}, nil, nil, "InvalidDocument"},
	} {
		t.Run(title, func(t *testing.T) {
			e := &edge{sends: c.sends, gets: c.gets, answers: map[string]map[string]any{"padron-dev-check": c.answer}}
			command := remote{client: ssm.NewFromConfig(e.at(t)), instance: "i-1", poll: time.Millisecond}
			answer, err := command.run(t.Context(), "padron-dev-check", map[string][]string{"version": {"v1"}})
			var out bytes.Buffer
			if err == nil {
				err = (&Deployment{Out: &out}).judge(answer)
			}
			wants(t, err, c.want)
			if c.want == "" {
				want := map[string]any{"InstanceIds": []any{"i-1"}, "DocumentName": "padron-dev-check", "Parameters": map[string]any{"version": []any{"v1"}}, "TimeoutSeconds": 60.0}
				if diff := cmp.Diff(want, e.sent); diff != "" {
					t.Error(diff)
				}
				if !slices.Contains(strings.Fields(out.String()), "passed-one") {
					t.Errorf("the table: %s", out.String())
				}
			}
		})
	}
}

// TestTokensOfTheCheck: the bastion drafts them, the migration's task registers
// them, under rules of its own, and only then is there a check.
func TestTokensOfTheCheck(t *testing.T) {
	const draft, check = "padron-dev-check-draft", "padron-dev-check"
	good := map[string]map[string]any{
		draft: ended("Success", `{"registrations":["{\"id\":\"a\"}","--force"]}`), check: ended("Success", checks("passed")),
	}
	but := func(document string, answer map[string]any) map[string]map[string]any {
		return map[string]map[string]any{draft: good[draft], check: good[check], document: answer}
	}
	for title, c := range map[string]struct {
		answers map[string]map[string]any
		exit    int
		did     []string
		want    string
	}{
		"in order":      {good, 0, []string{draft, "task", check}, ""},
		"no draft":      {but(draft, ended("Failed", "")), 0, []string{draft}, "drafts no tokens, and ended as Failed: what it complains of"},
		"half a draft":  {but(draft, ended("TimedOut", `{"registrations":["x"]}`)), 0, []string{draft}, "ended as TimedOut"},
		"an old tool":   {but(draft, ended("Success", `{"id":"a"}`)), 0, []string{draft}, "drafts no tokens"},
		"refused":       {good, 2, []string{draft, "task"}, "the registration of the check's tokens failed in container users: exit code 2"},
		"a check fails": {but(check, ended("Failed", checks("failed"))), 0, []string{draft, "task", check}, "failed-one failed"},
	} {
		t.Run(title, func(t *testing.T) {
			e := &edge{answers: c.answers, exit: c.exit}
			var out, progress bytes.Buffer
			d := &Deployment{
				Env: &config.Environment{Name: "dev"}, AWS: e.at(t), Poll: time.Millisecond, Out: &out, Progress: &progress,
				Templates: cfn.Assemble(&cfn.Stack{Name: "migration", StackName: "padron-dev-migration"}, &cfn.Stack{Name: "network", StackName: "padron-dev-network"}),
			}
			applied := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
			err := d.checkAt(t.Context(), map[string]string{"Instance": "i-1", "Draft": draft, "Check": check}, "v1", applied, time.Millisecond)
			wants(t, err, c.want)
			if diff := cmp.Diff(c.did, e.did); diff != "" {
				t.Error(diff)
			}
			if c.want != "" {
				return
			}
			overrides := map[string]any{"containerOverrides": []any{map[string]any{
				"name": "users", "command": []any{"token", "register", "--check", "--", `{"id":"a"}`, "--force"},
			}}}
			if diff := cmp.Diff(overrides, e.started["overrides"]); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]any{"version": []any{"v1"}, "applied": []any{"2026-03-01T11:00:00Z"}}, e.sent["Parameters"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}
