package main

import (
	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/token"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "make keys, issue and check tokens",
		Description: "A relay that was given --keys lets in who shows a token: a JWT with the claims of moq-token\n" +
			"(root, put, get, exp) and, if wanted, role, name and sub.\n\n" +
			"   stentor token key --out keys/                                     once\n" +
			"   stentor relay --keys keys/                                        on every relay\n" +
			"   stentor token issue --key keys/KID.jwk --room town --role speaker --name ada\n" +
			"   stentor speak --room town --name ada --token TOKEN voice.opus",
		OnUsageError: usageError,
		Subcommands:  []*cli.Command{tokenKeyCommand(), tokenIssueCommand(), tokenVerifyCommand()},
	}
}

func scopeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "room", Usage: "`ROOM` below which --put and --get are; the whole network if empty", EnvVars: env("room")},
		&cli.StringSliceFlag{Name: "put", Usage: "`PATH` that may be published, / for everything; repeat it", EnvVars: env("put")},
		&cli.StringSliceFlag{Name: "get", Usage: "`PATH` that may be subscribed, / for everything; repeat it", EnvVars: env("get")},
	}
}

func readScope(c *cli.Context) (token.Scope, error) {
	root, err := protocol.ParsePath(c.String("room"))
	if err != nil {
		return token.Scope{}, usagef("--room: %w", err)
	}
	scope := token.Scope{Root: root}
	for flag, list := range map[string]*[]protocol.Path{"put": &scope.Put, "get": &scope.Get} {
		for _, s := range c.StringSlice(flag) {
			p, err := protocol.ParsePath(s)
			if err != nil {
				return token.Scope{}, usagef("--%s: %w", flag, err)
			}
			*list = append(*list, p)
		}
	}
	return scope, nil
}

func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("%s takes no argument, only flags: %q; see '%s --help'", c.Command.FullName(), c.Args().First(), c.Command.HelpName)
	}
	return nil
}
