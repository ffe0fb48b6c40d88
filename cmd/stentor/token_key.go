package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/token"
)

func tokenKeyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "make a key",
		UsageText: "stentor token key --out keys/                                   a shared secret\n" +
			"stentor token key --alg ES256 --out office.jwk --public keys/   a pair: relays need only the public half\n" +
			"stentor token key --room town --get / --out keys/               its tokens open only that room, to listeners",
		Description: "Prints the key as a JWK, or writes it to --out, which it does not overwrite. In a folder the\n" +
			"file is called KID.jwk, as relays want it.\n" +
			"--room, --put and --get are a ceiling: what no token of the key may exceed.",
		Flags: append(scopeFlags(),
			&cli.StringFlag{Name: "alg", Value: token.Algorithms[0], Usage: "one of " + strings.Join(token.Algorithms, ", "), EnvVars: env("alg")},
			&cli.StringFlag{Name: "kid", Usage: "the key's `ID`; a random one if empty", EnvVars: env("kid")},
			&cli.StringFlag{Name: "out", Usage: "`FILE` or folder for the key", EnvVars: env("out")},
			&cli.StringFlag{Name: "public", Usage: "`FILE` or folder for its public half", EnvVars: env("public")},
		),
		OnUsageError: usageError,
		Action:       runTokenKey,
	}
}

func runTokenKey(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	scope, err := readScope(c)
	if err != nil {
		return err
	}
	var ceiling *token.Scope
	if scope.Put != nil || scope.Get != nil {
		ceiling = &scope
	} else if scope.Root != "" {
		return usagef("--room without --put or --get: a key that no token could use; give --put / and --get / to allow both")
	}
	key, err := token.Generate(c.String("alg"), c.String("kid"), ceiling)
	if err != nil {
		return usagef("%w", err)
	}
	if path := c.String("public"); path != "" {
		public, err := key.Public()
		if err != nil {
			return usagef("--public: %w; choose another --alg", err)
		}
		if err := writeKey(c, path, public, 0o644, "public, for relays"); err != nil {
			return err
		}
	}
	if path := c.String("out"); path != "" {
		return writeKey(c, path, key, 0o600, "secret: who has it can issue tokens")
	}
	return json.NewEncoder(c.App.Writer).Encode(key)
}

// writeKey puts a key into a file that does not exist yet, in a folder into
// one called KID.jwk.
func writeKey(c *cli.Context, path string, key token.Key, mode os.FileMode, remark string) error {
	info, err := os.Stat(path)
	folder := err == nil && info.IsDir()
	if !folder && strings.HasSuffix(path, "/") {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
		folder = true
	}
	if folder {
		path = filepath.Join(path, key.ID()+".jwk")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists: a key is not overwritten, since every token it signed would end; remove it first", path)
	}
	if err != nil {
		return err
	}
	err = json.NewEncoder(f).Encode(key)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "wrote %s (%s, %s)\n", path, key.Algorithm(), remark)
	return nil
}
