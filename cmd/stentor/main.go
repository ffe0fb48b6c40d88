// Command stentor runs relays for live audio rooms, speaks into them, listens to
// them and measures them. `stentor help` lists what it can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// version is set when a release is built.
var version = "dev"

func main() { os.Exit(run(os.Args)) }

// run is main with a status to return.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)

	app := app()
	err := app.RunContext(ctx, permute(app, args))
	if err != nil && !errors.Is(err, errSaid) {
		fmt.Fprintf(os.Stderr, "stentor: %v\n", err)
	}
	return exitCode(err)
}

func app() *cli.App {
	return &cli.App{
		Name:    "stentor",
		Usage:   "live audio for very large rooms",
		Version: version,
		Description: "A relay network for live speech over QUIC and WebTransport. Try it on this machine:\n\n" +
			"   stentor demo\n\n" +
			"or by hand, each in a terminal of its own:\n\n" +
			"   stentor relay --open --listen 127.0.0.1:4443\n" +
			"   stentor speak --relay https://127.0.0.1:4443 --room town --name ada voice.opus\n" +
			"   stentor listen --relay https://127.0.0.1:4443 --room town",
		Commands: []*cli.Command{
			demoCommand(),
			relayCommand(),
			speakCommand(),
			listenCommand(),
			tokenCommand(),
			roomCommand(),
			membersCommand(),
			treeCommand(),
			drainCommand(),
			undrainCommand(),
			planEventCommand(),
			benchCommand(),
		},
		HideHelpCommand:        false,
		UseShortOptionHandling: true,
		Suggest:                true,
		ExitErrHandler:         func(*cli.Context, error) {}, // run says it
		OnUsageError:           usageError,
		CommandNotFound: func(_ *cli.Context, name string) {
			fmt.Fprintf(os.Stderr, "stentor: there is no %q; 'stentor help' lists what there is\n", name)
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no %q; 'stentor help' lists what there is", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}
