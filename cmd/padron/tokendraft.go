package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"padron"
	"padron/internal/access"
	"padron/internal/app"
	"padron/internal/cli"
)

// registration is a token as it travels from where it was drafted to its
// register: everything but the secret, so that it may stand in a command line
// and in logs.
type registration struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Role      padron.Role `json:"role"`
	Hash      string      `json:"hash"`
	CreatedAt string      `json:"created_at"`
	ExpiresAt string      `json:"expires_at"`
}

// draft makes a token, and the line that registers it.
func draft(role padron.Role, name string, lifetime time.Duration) (id, secret, line string, err error) {
	secret, t, err := access.NewToken(role, name, time.Now(), lifetime)
	if err != nil {
		return "", "", "", err
	}
	text, err := json.Marshal(registration{
		t.ID, t.Name, t.Role, hex.EncodeToString(t.Hash[:]), padron.FormatTime(t.CreatedAt), padron.FormatTime(t.ExpiresAt),
	})
	return t.ID, secret, string(text), err
}

type tokenDraft struct{ tokenFlags }

// Run prints the token and its registration as one JSON document. It opens no
// register.
func (c *tokenDraft) Run(env *cli.Env) error {
	role, lifetime, err := c.parse()
	if err != nil {
		return err
	}
	id, secret, line, err := draft(role, c.Name, lifetime)
	if err != nil {
		return err
	}
	return cli.WriteJSON(env.Stdout, map[string]string{"id": id, "token": secret, "registration": line})
}

type tokenRegister struct {
	Check         bool     `help:"Refuse all but tokens for padron check: of that name, and good for minutes."`
	Registrations []string `arg:"" name:"registration" help:"The registrations that token draft or draft-check printed."`
}

// Run stores the drafted tokens, once all of them are known to be well.
func (c *tokenRegister) Run(ctx context.Context, env *cli.Env) error {
	tokens := make([]padron.Token, len(c.Registrations))
	for i, line := range c.Registrations {
		var err error
		if tokens[i], err = parseRegistration(line); err == nil && c.Check {
			err = forCheck(&tokens[i], time.Now())
		}
		if err != nil {
			return err
		}
	}
	return withApp(ctx, env, func(a *app.App) error {
		for _, t := range tokens {
			if err := a.Store.AddToken(ctx, t); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(env.Stdout, "token %s is registered: %s, until %s\n", t.ID, t.Role, padron.FormatTime(t.ExpiresAt)); err != nil {
				return err
			}
		}
		return nil
	})
}

// parseRegistration reads what token draft printed and holds it to the same
// bounds as a token that is made here.
func parseRegistration(s string) (padron.Token, error) {
	var r registration
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		return padron.Token{}, padron.Invalid("registration", "is not what padron token draft printed")
	}
	created, err := time.Parse(time.RFC3339, r.CreatedAt)
	if err != nil {
		return padron.Token{}, padron.Invalid("registration", "created_at is not a time")
	}
	expires, err := time.Parse(time.RFC3339, r.ExpiresAt)
	if err != nil {
		return padron.Token{}, padron.Invalid("registration", "expires_at is not a time")
	}
	hash, err := hex.DecodeString(r.Hash)
	if err != nil {
		return padron.Token{}, padron.Invalid("registration", "hash is not hexadecimal")
	}
	return access.RegisteredToken(r.ID, r.Role, r.Name, hash, created, expires)
}
