package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
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
			"stentor drain relay-b\n" +
			"stentor drain relay-b --deadline 2m --admin http://10.0.0.7:9090",
		Description: "RELAY is the name of a relay, as in 'stentor members'; any relay's admin address will do, which passes the\n" +
			"command on. Without a name it is the relay of --admin itself; with HOST:PORT it is the one that has this\n" +
			"admin address. It asks its sessions to go on elsewhere, a few at a time, and takes nobody any more. What is\n" +
			"left at the deadline is closed. It goes on if this command is interrupted; 'stentor undrain' calls it off\n" +
			"and takes newcomers again.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			adminFlag(), jsonFlag(),
			&cli.DurationFlag{Name: "deadline", Value: relay.DefaultDrain, Usage: "`TIME` after which the rest is closed", EnvVars: env("deadline")},
		},
		Action: runDrain,
	}
}

// order is what a relay is told to do.
type order struct {
	Relay      string `json:"relay,omitempty"`
	DeadlineMS int64  `json:"deadline_ms,omitempty"`
}

func runDrain(c *cli.Context) error {
	admin, name, err := relayArgument(c)
	if err != nil {
		return err
	}
	deadline := c.Duration("deadline")
	if deadline < time.Millisecond || deadline > api.MaxDrain {
		return usagef("--deadline %v: want 1ms to 1h", deadline)
	}
	var d api.Drained
	body := order{Relay: name, DeadlineMS: deadline.Milliseconds()}
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
		UsageText:    "stentor undrain\nstentor undrain relay-b",
		Description:  "RELAY is as in 'stentor drain'.",
		OnUsageError: usageError,
		Flags:        []cli.Flag{adminFlag()},
		Action: func(c *cli.Context) error {
			admin, name, err := relayArgument(c)
			if err != nil {
				return err
			}
			var answer struct{ State string }
			if err := askAdmin(c.Context, admin, "POST", "/v1/undrain", order{Relay: name}, &answer); err != nil {
				return err
			}
			who := name
			if who == "" {
				who = "the relay"
			}
			fmt.Println(who, "takes newcomers again")
			return nil
		},
	}
}

// relayArgument is whose admin address is asked, and the name of the relay that
// is meant if that may be another. A name has no colon, an address does.
func relayArgument(c *cli.Context) (admin, name string, err error) {
	arg := c.Args().First()
	switch {
	case c.NArg() > 1:
		return "", "", usagef("one relay at a time: %q is one too many", c.Args().Get(1))
	case strings.Contains(arg, ":"):
		return arg, "", nil
	}
	return c.String("admin"), arg, nil
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
