package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/token"
)

func tokenVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:        "verify",
		Usage:       "check a token as a relay would",
		UsageText:   "stentor token verify --keys keys/ --room town TOKEN\nstentor token verify --keys keys/ --room town - < file",
		ArgsUsage:   "TOKEN|-",
		Description: "Prints what the token allows in a session on that room; exit code 3 if that is nothing.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "keys", Usage: "JWK `FILE` or folder of KID.jwk", EnvVars: env("keys")},
			&cli.StringFlag{Name: "room", Usage: "`ROOM` to open the session on; all rooms if empty", EnvVars: env("room")},
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON", EnvVars: env("json")},
		},
		OnUsageError: usageError,
		Action:       runTokenVerify,
	}
}

func runTokenVerify(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("want one TOKEN, or - to read it from the standard input; see 'stentor token verify --help'")
	}
	if c.String("keys") == "" {
		return usagef("--keys FILE is missing: the key or folder of keys that relays are given")
	}
	jwt := c.Args().First()
	if jwt == "-" {
		b, err := io.ReadAll(io.LimitReader(c.App.Reader, 2*token.MaxToken))
		if err != nil {
			return err
		}
		jwt = strings.TrimSpace(string(b))
	}
	keys, err := token.Load(c.String("keys"))
	if err != nil {
		return err
	}
	grant, err := keys.Verify(jwt, c.String("room"), time.Now())
	if err != nil {
		return cli.Exit(err, exitNotAllowed)
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(grantJSON(grant))
	}
	return printGrant(c.App.Writer, grant)
}

// grantJSON is what `token verify --json` prints. Paths are relative to the
// room, "" is everything in it.
func grantJSON(g token.Grant) any {
	expires := ""
	if !g.Expires.IsZero() {
		expires = g.Expires.UTC().Format(time.RFC3339)
	}
	return struct {
		Publish   []protocol.Path `json:"publish"`
		Subscribe []protocol.Path `json:"subscribe"`
		Expires   string          `json:"expires,omitempty"`
		Role      token.Role      `json:"role,omitempty"`
		Name      string          `json:"name,omitempty"`
		Subject   string          `json:"sub,omitempty"`
		KeyID     string          `json:"kid,omitempty"`
	}{
		append([]protocol.Path{}, g.Publish...), append([]protocol.Path{}, g.Subscribe...),
		expires, g.Role, g.Name, g.Subject, g.KeyID,
	}
}

func printGrant(w io.Writer, g token.Grant) error {
	paths := func(list []protocol.Path) string {
		var names []string
		for _, p := range list {
			names = append(names, "/"+string(p))
		}
		if len(names) == 0 {
			return "nothing"
		}
		return strings.Join(names, " ")
	}
	expires := "never"
	if !g.Expires.IsZero() {
		expires = g.Expires.UTC().Format(time.RFC3339)
	}
	_, err := fmt.Fprintf(w, "publish    %s\nsubscribe  %s\nexpires    %s\n", paths(g.Publish), paths(g.Subscribe), expires)
	for _, line := range []struct{ name, value string }{{"role", string(g.Role)}, {"name", g.Name}, {"sub", g.Subject}, {"key", g.KeyID}} {
		if line.value != "" && err == nil {
			_, err = fmt.Fprintf(w, "%-10s %q\n", line.name, line.value)
		}
	}
	return err
}
