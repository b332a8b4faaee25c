package main

import (
	"context"
	"fmt"
	"time"

	"padron"
	"padron/internal/access"
	"padron/internal/app"
	"padron/internal/cli"
)

type tokenCmd struct {
	Create tokenCreate `cmd:"" help:"Create a token; it is shown once and stored hashed."`
	List   tokenList   `cmd:"" help:"List tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token at once."`

	Draft      tokenDraft      `cmd:"" help:"Make a token for a register that cannot be reached from here: print it, and the line that registers it there."`
	DraftCheck tokenDraftCheck `cmd:"" help:"The same with a token of each role for padron check, good for 15 minutes, in a file of its own."`
	Register   tokenRegister   `cmd:"" help:"Store tokens that were drafted elsewhere."`
}

// tokenFlags say what a new token is.
type tokenFlags struct {
	Role    string `required:"" help:"viewer, analyst, admin, operator, auditor or privacy."`
	Name    string `required:"" help:"Whom the token is for, such as billing-service."`
	Expires string `default:"90d" help:"Lifetime, from 1m to 366d."`
}

func (f *tokenFlags) parse() (padron.Role, time.Duration, error) {
	role, err := padron.ParseRole(f.Role)
	if err != nil {
		return "", 0, err
	}
	lifetime, err := access.ParseLifetime(f.Expires)
	return role, lifetime, err
}

type tokenCreate struct {
	tokenFlags
	JSON bool `name:"json" help:"As JSON."`
}

// createdToken is a fresh token as --json prints it.
type createdToken struct {
	ID        string      `json:"id"`
	Token     string      `json:"token"`
	Role      padron.Role `json:"role"`
	Name      string      `json:"name"`
	ExpiresAt string      `json:"expires_at"`
}

// Run creates a token and prints it.
func (c *tokenCreate) Run(ctx context.Context, env *cli.Env) error {
	role, lifetime, err := c.parse()
	if err != nil {
		return err
	}
	return openedBy(ctx, env, app.Open, func(a *app.App) error {
		created, err := createToken(ctx, a, role, c.Name, lifetime)
		if err != nil {
			return err
		}
		if c.JSON {
			return cli.WriteJSON(env.Stdout, created)
		}
		_, err = fmt.Fprintln(env.Stdout, created.Token)
		return err
	})
}

func createToken(ctx context.Context, a *app.App, role padron.Role, name string, lifetime time.Duration) (createdToken, error) {
	secret, t, err := access.NewToken(role, name, time.Now(), lifetime)
	if err != nil {
		return createdToken{}, err
	}
	if err := a.Store.AddToken(ctx, t); err != nil {
		return createdToken{}, err
	}
	return createdToken{t.ID, secret, t.Role, t.Name, padron.FormatTime(t.ExpiresAt)}, nil
}

type tokenList struct {
	JSON bool `name:"json" help:"As JSON."`
}

// Run lists every token, without secrets.
func (c *tokenList) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		tokens, err := a.Store.Tokens(ctx)
		if err != nil {
			return err
		}
		now := time.Now()
		return cli.List(env.Stdout, c.JSON, "tokens", tokens, []string{"ID", "ROLE", "NAME", "EXPIRES", "STATE"},
			func(t padron.Token) []string {
				return []string{t.ID, string(t.Role), t.Name, padron.FormatTime(t.ExpiresAt), tokenState(&t, now)}
			})
	})
}

func tokenState(t *padron.Token, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.Valid(now):
		return "expired"
	}
	return "valid"
}

type tokenRevoke struct {
	ID string `arg:"" help:"The token's id, as list shows it."`
}

// Run revokes a token; again is no failure.
func (c *tokenRevoke) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		if err := a.Store.RevokeToken(ctx, c.ID, time.Now().UTC()); err != nil {
			return named("token", c.ID, err)
		}
		_, err := fmt.Fprintf(env.Stdout, "token %s is revoked\n", c.ID)
		return err
	})
}

// named says of what was not found what it was.
func named(what, id string, err error) error {
	if padron.ErrorCode(err) == padron.CodeNotFound {
		return fmt.Errorf("there is no %s %q: see padron %s list", what, id, what)
	}
	return err
}
