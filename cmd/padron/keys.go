package main

import (
	"context"
	"fmt"
	"strconv"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
)

type keysCmd struct {
	Init   keysInit   `cmd:"" help:"Make the data keys that services share, where they are missing."`
	Status keysStatus `cmd:"" help:"List data keys: purpose, age, messages sealed."`
}

type keysInit struct{}

// Run makes the shared data keys; again changes nothing.
func (*keysInit) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		if err := a.MakeKeys(ctx); err != nil {
			return err
		}
		_, err := fmt.Fprintln(env.Stdout, "the shared data keys are there")
		return err
	})
}

type keysStatus struct {
	JSON bool `name:"json" help:"As JSON."`
}

// keyJSON is a data key as --json prints it: never the key, wrapped or not.
type keyJSON struct {
	ID        string         `json:"id"`
	Purpose   padron.Purpose `json:"purpose"`
	Group     string         `json:"group"`
	KEK       string         `json:"kek"`
	CreatedAt string         `json:"created_at"`
	Messages  int64          `json:"messages"`
}

// Run lists every data key.
func (c *keysStatus) Run(ctx context.Context, env *cli.Env) error {
	return withApp(ctx, env, func(a *app.App) error {
		keys, err := a.Store.Keys(ctx)
		if err != nil {
			return err
		}
		rows := make([]keyJSON, len(keys))
		for i, k := range keys {
			rows[i] = keyJSON{strconv.FormatInt(int64(k.ID), 10), k.Purpose, k.Group, k.KEK, padron.FormatTime(k.CreatedAt), k.Messages}
		}
		return cli.List(env.Stdout, c.JSON, "keys", rows, []string{"ID", "PURPOSE", "GROUP", "KEK", "CREATED", "MESSAGES"},
			func(k keyJSON) []string {
				return []string{k.ID, string(k.Purpose), k.Group, k.KEK, k.CreatedAt, strconv.FormatInt(k.Messages, 10)}
			})
	})
}
