package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"padron"
	"padron/internal/check"
	"padron/internal/cli"
)

// checkTokens is the variable that holds one token a role, or names their file.
const checkTokens = "PADRON_CHECK_TOKENS"

type checkCmd struct {
	URL string `arg:"" name:"url" help:"The service's address, such as https://padron.corp.example."`

	Tokens   string        `placeholder:"FILE" help:"JSON of roles and tokens, mode 0600 (PADRON_CHECK_TOKENS: the file, or the JSON itself)."`
	Database string        `placeholder:"HOST:PORT" help:"The database, which must not be reachable from here."`
	Release  string        `placeholder:"VERSION" help:"The version that must be running, or the file of a release record."`
	MaxAge   time.Duration `default:"24h" help:"How old the last completed run may be [${default}]."`
	JSON     bool          `name:"json" help:"As JSON."`
}

// Run checks a running service; a check that failed is a failure.
func (c *checkCmd) Run(ctx context.Context, env *cli.Env) error {
	tokens, err := c.tokens(env)
	if err != nil {
		return err
	}
	release, err := c.release()
	if err != nil {
		return err
	}
	results, err := check.Run(ctx, check.Options{
		URL: c.URL, Tokens: tokens, Database: c.Database, Release: release.Version, Released: release.Applied, MaxAge: c.MaxAge,
	})
	if err != nil {
		return err
	}
	if err := cli.List(env.Stdout, c.JSON, "checks", results, []string{"CHECK", "OUTCOME", "DETAIL"}, func(r check.Result) []string {
		return []string{r.Check, string(r.Outcome), r.Detail}
	}); err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		if r.Outcome == check.Failed {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(results))
	}
	return nil
}

// released is what a release record says of the programs that run since: their
// version, and from when on.
type released struct {
	Version string    `json:"version"`
	Applied time.Time `json:"applied"`
}

// release reads the record, if a file of this name is there; otherwise the flag
// is the version itself.
func (c *checkCmd) release() (released, error) {
	text, err := os.ReadFile(c.Release)
	if err != nil {
		if strings.Contains(c.Release, "/") || strings.HasSuffix(c.Release, ".json") {
			return released{}, padron.Invalid("--release", "there is no file %s to read: want a version, or the file of a release record", c.Release)
		}
		return released{Version: c.Release}, nil
	}
	var record released
	if json.Unmarshal(text, &record) != nil || record.Version == "" {
		return released{}, padron.Invalid("--release", "%s is no release record: want JSON with a version in it", c.Release)
	}
	return record, nil
}

// tokens reads one token a role, of any roles. None is an argument: those are
// visible to others.
func (c *checkCmd) tokens(env *cli.Env) (map[padron.Role]padron.Sensitive, error) {
	given, _ := env.Getenv(checkTokens)
	name, text := checkTokens, []byte(given)
	if c.Tokens != "" || given != "" && !strings.HasPrefix(given, "{") {
		path := given
		if c.Tokens != "" {
			name, path = "--tokens", c.Tokens
		}
		var err error
		if text, err = cli.ReadPrivate(path); err != nil {
			var told *padron.Error
			if errors.As(err, &told) {
				return nil, padron.Invalid(name, "%s", told.Message)
			}
			return nil, padron.Invalid(name, "cannot be read; want a file of JSON such as {\"viewer\":\"...\"}, or in %s the JSON itself", checkTokens)
		}
	}
	tokens := map[padron.Role]padron.Sensitive{}
	if len(text) == 0 {
		return tokens, nil
	}
	if json.Unmarshal(text, &tokens) != nil {
		return nil, padron.Invalid(name, "is not JSON of roles and tokens, such as {\"viewer\":\"...\"}")
	}
	for role := range tokens {
		if _, err := padron.ParseRole(string(role)); err != nil {
			return nil, padron.Invalid(name, "names a role that there is not: want some of %v", padron.Roles())
		}
	}
	return tokens, nil
}
