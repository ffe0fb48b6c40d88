package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/token"
)

func tokenIssueCommand() *cli.Command {
	return &cli.Command{
		Name:  "issue",
		Usage: "issue a token",
		UsageText: "stentor token issue --key keys/KID.jwk --room town                            a listener's\n" +
			"stentor token issue --key keys/KID.jwk --room town --role speaker --name ada  a speaker's\n" +
			"stentor token issue --key keys/KID.jwk --room town --put ada --get bob --expires 1h",
		Description: "Prints the token. Without --put and --get it opens the whole room to the ear and, to a role\n" +
			"other than listener, the broadcast called --name to the voice.",
		Flags: append(scopeFlags(),
			&cli.StringFlag{Name: "key", Usage: "JWK `FILE` to sign with", EnvVars: env("key")},
			&cli.StringFlag{Name: "role", Value: string(token.RoleListener), Usage: "host, cohost, speaker or listener", EnvVars: env("role")},
			&cli.StringFlag{Name: "name", Usage: "who it is for, as others see it", EnvVars: env("name")},
			&cli.StringFlag{Name: "sub", Usage: "who it is for, as you know them", EnvVars: env("sub")},
			&cli.DurationFlag{Name: "expires", Value: 24 * time.Hour, Usage: "how long it is good; 0 for ever", EnvVars: env("expires")},
			&cli.BoolFlag{Name: "json", Usage: "print token and claims as JSON", EnvVars: env("json")},
		),
		OnUsageError: usageError,
		Action:       runTokenIssue,
	}
}

func runTokenIssue(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if c.String("key") == "" {
		return usagef("--key FILE is missing: the key to sign with, made by 'stentor token key'")
	}
	claims, err := issueClaims(c, time.Now())
	if err != nil {
		return err
	}
	key, err := token.LoadKey(c.String("key"))
	if err != nil {
		return err
	}
	signed, err := token.Sign(key, claims)
	if err != nil {
		return err
	}
	if !c.Bool("json") {
		_, err := fmt.Fprintln(c.App.Writer, signed)
		return err
	}
	return json.NewEncoder(c.App.Writer).Encode(struct {
		Token  string       `json:"token"`
		Claims token.Claims `json:"claims"`
	}{signed, claims})
}

func issueClaims(c *cli.Context, now time.Time) (token.Claims, error) {
	scope, err := readScope(c)
	if err != nil {
		return token.Claims{}, err
	}
	role, err := token.ParseRole(c.String("role"))
	if err != nil {
		return token.Claims{}, usagef("--role: %w", err)
	}
	lasts := c.Duration("expires")
	if lasts < 0 {
		return token.Claims{}, usagef("--expires %v: want how long the token is good, or 0 for ever", lasts)
	}
	claims := token.Claims{Scope: scope, Issued: now, Role: role, Name: c.String("name"), Subject: c.String("sub")}
	if lasts > 0 {
		claims.Expires = now.Add(lasts)
	}
	if scope.Put != nil || scope.Get != nil {
		return claims, nil
	}
	claims.Get = []protocol.Path{""}
	if role == token.RoleListener || role == "" {
		return claims, nil
	}
	voice, err := protocol.ParsePath(claims.Name)
	if err != nil || voice == "" {
		return token.Claims{}, usagef("a %s needs --name, which is what the broadcast is called, or --put", role)
	}
	claims.Put = []protocol.Path{voice}
	return claims, nil
}
