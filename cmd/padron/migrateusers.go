package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"padron"
	"padron/internal/app"
	"padron/internal/cli"
	"padron/internal/store/mysql"
)

type migrateUsers struct {
	IAM       bool   `name:"iam" xor:"login" required:"" help:"The users log in to Amazon RDS by IAM roles."`
	Passwords string `xor:"login" required:"" placeholder:"FILE" help:"The users log in with passwords: a JSON file of user names and passwords, mode 0600; made with random ones where there is none."`

	Synchronizer  string `default:"padron_synchronizer" placeholder:"NAME" help:"The synchronizer's user [${default}]."`
	CustomersMngr string `default:"padron_customers_mngr" placeholder:"NAME" help:"The user of customers-mngr [${default}]."`
}

// Run makes both users, or sets them right; again changes nothing.
func (c *migrateUsers) Run(ctx context.Context, env *cli.Env) error {
	cfg, err := env.Load(nil)
	if err != nil {
		return err
	}
	if cfg.DB.MySQL == nil {
		return padron.Invalid("PADRON_DB", "is no MySQL register: SQLite has no users")
	}
	users := []mysql.ServiceUser{
		{Service: mysql.UserSynchronizer, Name: c.Synchronizer}, {Service: mysql.UserCustomersMngr, Name: c.CustomersMngr},
	}
	passwords := map[string]padron.Sensitive{}
	if !c.IAM {
		if passwords, err = c.passwords(users); err != nil {
			return err
		}
	}
	for i := range users {
		users[i].Password = passwords[users[i].Name]
		users[i].TLS = c.IAM || cfg.DB.MySQL.TLS != mysql.TLSOff
	}
	if err := app.PutUsers(ctx, cfg, users); err != nil {
		return err
	}
	for _, u := range users {
		if _, err := fmt.Fprintf(env.Stdout, "database user %s is ready\n", u.Name); err != nil {
			return err
		}
	}
	return nil
}

// passwords reads the file, or makes it. It is never printed.
func (c *migrateUsers) passwords(users []mysql.ServiceUser) (map[string]padron.Sensitive, error) {
	data, err := cli.ReadPrivate(c.Passwords)
	if errors.Is(err, fs.ErrNotExist) {
		return c.generate(users)
	}
	if err != nil {
		return nil, err
	}
	passwords := map[string]padron.Sensitive{}
	if json.Unmarshal(data, &passwords) != nil {
		return nil, padron.Invalid("--passwords", `%s is not JSON such as {"%s":"..."}`, c.Passwords, c.Synchronizer)
	}
	const shortest = 16
	for _, u := range users {
		if len(passwords[u.Name]) < shortest {
			return nil, padron.Invalid("--passwords", "%s has no password of %d characters or more for %s", c.Passwords, shortest, u.Name)
		}
	}
	return passwords, nil
}

func (c *migrateUsers) generate(users []mysql.ServiceUser) (map[string]padron.Sensitive, error) {
	plain, passwords := map[string]string{}, map[string]padron.Sensitive{}
	for _, u := range users {
		plain[u.Name] = rand.Text()
		passwords[u.Name] = padron.Sensitive(plain[u.Name])
	}
	data, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		return nil, err
	}
	return passwords, cli.CreatePrivate(c.Passwords, append(data, '\n'))
}
