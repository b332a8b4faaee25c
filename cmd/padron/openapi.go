package main

import (
	"padron/internal/api"
	"padron/internal/cli"
)

type openapiCmd struct{}

// Run prints the OpenAPI document.
func (*openapiCmd) Run(env *cli.Env) error {
	_, err := env.Stdout.Write(append(api.OpenAPI(), '\n'))
	return err
}
