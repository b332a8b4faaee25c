package workflows_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// roles let a program into the account with no more rights than the role has that
// its job signed in as. moto gives every caller everything. Roles, whom they trust
// and their policies are the account's own, as the stack delivery made them. A
// right's action is looked at, and on S3 its resource, and no condition.
type roles struct {
	t      testing.TB
	config aws.Config
	next   http.Handler

	mu sync.Mutex
	// signed are the roles by access key, and rights those of a role.
	signed map[string]string
	rights map[string][]statement
}

// statement is one of a policy.
type statement struct {
	Effect, Sid      string
	Action, Resource texts
	Condition        map[string]map[string]texts
}

// texts are one or many in JSON.
type texts []string

func (l *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// has reports whether a pattern of the list fits.
func (l texts) has(value string) bool {
	return slices.ContainsFunc(l, func(pattern string) bool {
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		return regexp.MustCompile("(?i)^" + strings.Join(parts, ".*") + "$").MatchString(value)
	})
}

func guard(t testing.TB, config aws.Config, next http.Handler) *roles {
	return &roles{t: t, config: config, next: next, signed: map[string]string{}, rights: map[string][]statement{}}
}

// signIn is aws-actions/configure-aws-credentials: it trades the job's token for
// credentials of the role, which must trust a job with this subject.
func (r *roles) signIn(arn, subject string, seconds int32) (map[string]string, error) {
	r.t.Helper()
	name := arn[strings.LastIndex(arn, "/")+1:]
	client := iam.NewFromConfig(r.config)
	role, err := client.GetRole(r.t.Context(), &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return nil, err
	}
	trusts := func(s statement) bool {
		return s.Effect == "Allow" && s.Action.has("sts:AssumeRoleWithWebIdentity") &&
			slices.Equal(s.Condition["StringEquals"]["token.actions.githubusercontent.com:sub"], texts{subject})
	}
	if !slices.ContainsFunc(r.statements(aws.ToString(role.Role.AssumeRolePolicyDocument)), trusts) {
		return nil, fmt.Errorf("%s does not trust %s", arn, subject)
	}
	if longest := aws.ToInt32(role.Role.MaxSessionDuration); seconds > longest {
		return nil, fmt.Errorf("%s is taken for %d seconds at most, not for %d", arn, longest, seconds)
	}
	out, err := sts.NewFromConfig(r.config).AssumeRoleWithWebIdentity(r.t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &arn, RoleSessionName: aws.String("GitHubActions"), WebIdentityToken: aws.String(subject), DurationSeconds: &seconds,
	})
	if err != nil {
		return nil, err
	}
	c := out.Credentials
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signed[*c.AccessKeyId], r.rights[name] = name, r.policies(client, name)
	return map[string]string{"AWS_ACCESS_KEY_ID": *c.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *c.SecretAccessKey, "AWS_SESSION_TOKEN": *c.SessionToken}, nil
}

// policies are the statements of a role's own policies and of those attached.
func (r *roles) policies(client *iam.Client, role string) (all []statement) {
	r.t.Helper()
	own, err := client.ListRolePolicies(r.t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range own.PolicyNames {
		policy, err := client.GetRolePolicy(r.t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, r.statements(aws.ToString(policy.PolicyDocument))...)
	}
	attached, err := client.ListAttachedRolePolicies(r.t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, a := range attached.AttachedPolicies {
		policy, err := client.GetPolicy(r.t.Context(), &iam.GetPolicyInput{PolicyArn: a.PolicyArn})
		if err != nil {
			r.t.Fatal(err)
		}
		version, err := client.GetPolicyVersion(r.t.Context(), &iam.GetPolicyVersionInput{PolicyArn: a.PolicyArn, VersionId: policy.Policy.DefaultVersionId})
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, r.statements(aws.ToString(version.PolicyVersion.Document))...)
	}
	return all
}

// statements reads a policy as IAM gives it.
func (r *roles) statements(document string) []statement {
	r.t.Helper()
	text, err := url.QueryUnescape(document)
	if err != nil {
		r.t.Fatal(err)
	}
	var policy struct{ Statement []statement }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	return policy.Statement
}

// credential is who asks, and which service.
var credential = regexp.MustCompile(`Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/`)

// ServeHTTP hands on what the caller may, and refuses the rest.
func (r *roles) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	who := credential.FindStringSubmatch(request.Header.Get("Authorization"))
	if who == nil {
		http.Error(w, "nobody signed this", http.StatusForbidden)
		return
	}
	action, resource, err := asked(who[2], request)
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	role := r.signed[who[1]]
	allowed := action == "sts:GetCallerIdentity" && role != "" || may(r.rights[role], action, resource)
	r.mu.Unlock()
	if !allowed {
		refuse(w, request, fmt.Sprintf("User %q is not authorized to perform %s on %s", role, action, resource))
		return
	}
	r.next.ServeHTTP(w, request)
}

func may(rights []statement, action, resource string) bool {
	says := func(effect string) bool {
		return slices.ContainsFunc(rights, func(s statement) bool {
			return s.Effect == effect && s.Action.has(action) && (resource == "" || s.Resource.has(resource))
		})
	}
	return says("Allow") && !says("Deny")
}

// asked is the permission that a request needs, and on S3 the resource.
func asked(service string, r *http.Request) (action, resource string, err error) {
	if service == "s3" {
		return askedOfS3(r)
	}
	if _, action, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return service + ":" + action, "", nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return "", "", fmt.Errorf("%s %s of %s: which action is it? %w", r.Method, r.URL, service, err)
	}
	return service + ":" + form.Get("Action"), "", nil
}

func askedOfS3(r *http.Request) (action, resource string, err error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	resource = "arn:aws:s3:::" + bucket
	if key != "" {
		resource += "/" + key
	}
	switch {
	case r.Method == http.MethodGet && key == "" && r.URL.Query().Get("list-type") == "2":
		return "s3:ListBucket", resource, nil
	case r.Method == http.MethodGet && key != "", r.Method == http.MethodHead && key != "":
		return "s3:GetObject", resource, nil
	case r.Method == http.MethodPut && key != "":
		return "s3:PutObject", resource, nil
	}
	return "", "", fmt.Errorf("%s %s of S3: which action is it?", r.Method, r.URL)
}

// refuse answers in the words of the service's protocol.
func refuse(w http.ResponseWriter, r *http.Request, message string) {
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "AccessDeniedException", "message": message})
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>", message)
}
