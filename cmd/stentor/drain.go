package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
)

func drainCommand() *cli.Command {
	return &cli.Command{
		Name:      "drain",
		Usage:     "move every session of a relay to other relays",
		ArgsUsage: "[RELAY]",
		UsageText: "stentor drain\n" +
			"stentor drain --deadline 2m --admin http://10.0.0.7:9090\n" +
			"stentor drain 10.0.0.7:9090",
		Description: "RELAY is the admin address of the relay, like --admin. It asks its sessions to go on elsewhere, a\n" +
			"few at a time, and takes nobody any more. What is left at the deadline is closed. It goes on\n" +
			"if this command is interrupted; 'stentor undrain' calls it off and takes newcomers again.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			adminFlag(), jsonFlag(),
			&cli.DurationFlag{Name: "deadline", Value: relay.DefaultDrain, Usage: "`TIME` after which the rest is closed", EnvVars: env("deadline")},
		},
		Action: runDrain,
	}
}

func runDrain(c *cli.Context) error {
	admin, err := adminArgument(c)
	if err != nil {
		return err
	}
	deadline := c.Duration("deadline")
	if deadline < time.Millisecond || deadline > time.Hour {
		return usagef("--deadline %v: want 1ms to 1h", deadline)
	}
	var d api.Drained
	body := map[string]int64{"deadline_ms": deadline.Milliseconds()}
	if err := askAdmin(c.Context, admin, "POST", "/v1/drain", body, &d); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(d)
	}
	took := (time.Duration(d.TookMS) * time.Millisecond).Round(100 * time.Millisecond)
	fmt.Printf("%s moved, %s lost, in %v\n", plural(d.Moved, "session"), plural(int(d.FramesLost), "frame"), took)
	if d.Closed > 0 {
		fmt.Printf("%s did not go and %s closed\n", plural(d.Closed, "session"), wasWere(d.Closed))
	}
	return nil
}

func undrainCommand() *cli.Command {
	return &cli.Command{
		Name:         "undrain",
		Usage:        "let a relay that drains, or has drained, take newcomers again",
		ArgsUsage:    "[RELAY]",
		UsageText:    "stentor undrain\nstentor undrain 10.0.0.7:9090",
		Description:  "RELAY is the admin address of the relay, like --admin.",
		OnUsageError: usageError,
		Flags:        []cli.Flag{adminFlag()},
		Action: func(c *cli.Context) error {
			admin, err := adminArgument(c)
			if err != nil {
				return err
			}
			var answer struct{ State string }
			if err := askAdmin(c.Context, admin, "POST", "/v1/undrain", nil, &answer); err != nil {
				return err
			}
			fmt.Println("the relay takes newcomers again")
			return nil
		},
	}
}

// adminArgument is the relay that the command line names, or --admin.
func adminArgument(c *cli.Context) (string, error) {
	switch c.NArg() {
	case 0:
		return c.String("admin"), nil
	case 1:
		return c.Args().First(), nil
	}
	return "", usagef("one relay at a time: %q is one too many", c.Args().Get(1))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
