package main

import (
	"encoding/json"
	"time"

	"padron"
	"padron/internal/cli"
)

// checkLifetime is how long the tokens of a check are good for: a task that
// starts and registers them fits into it, and the check itself.
const checkLifetime = 15 * time.Minute

type tokenDraftCheck struct {
	To string `required:"" placeholder:"FILE" help:"The file for padron check --tokens: it must not be there yet, and only you can read it."`
}

// Run drafts a token of each role, writes them to the file and prints how they
// are registered. It opens no register, and no token is on its output: where
// somebody else starts it, that goes further than the file.
func (c *tokenDraftCheck) Run(env *cli.Env) error {
	tokens, lines := map[padron.Role]string{}, []string{}
	for _, role := range padron.Roles() {
		_, secret, line, err := draft(role, padron.CheckToken, checkLifetime)
		if err != nil {
			return err
		}
		tokens[role], lines = secret, append(lines, line)
	}
	data, err := json.Marshal(tokens)
	if err != nil {
		return err
	}
	if err := cli.CreatePrivate(c.To, data); err != nil {
		return err
	}
	return cli.WriteJSON(env.Stdout, map[string][]string{"registrations": lines})
}

// forCheck refuses a token that is more than a check needs: whoever registers
// what a check has drafted need not believe it.
func forCheck(t *padron.Token, now time.Time) error {
	if t.Name != padron.CheckToken {
		return padron.Invalid("registration", "is for a token of another name than %q", padron.CheckToken)
	}
	const skew = time.Minute // the clock of the drafting machine
	if t.ExpiresAt.After(now.Add(checkLifetime + skew)) {
		return padron.Invalid("registration", "is for a token that is good for longer than the %v of a check", checkLifetime)
	}
	return nil
}
