package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/relay/api"
)

func membersCommand() *cli.Command {
	return &cli.Command{
		Name:  "members",
		Usage: "list the relays of a network",
		UsageText: "stentor members\n" +
			"stentor members --admin http://10.0.0.7:9090 --json",
		Description:  "Asks a relay's admin address for the relays it knows: where they are, how busy, and whether\nthey take newcomers. The relay that was asked has a star.",
		OnUsageError: usageError,
		Flags:        []cli.Flag{adminFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("members takes no argument: %q", c.Args().First())
			}
			var answer struct {
				Members []api.Peer `json:"members"`
			}
			if err := askAdmin(c.Context, c.String("admin"), "GET", "/v1/members", nil, &answer); err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(os.Stdout).Encode(answer)
			}
			return printMembers(os.Stdout, answer.Members)
		},
	}
}

func printMembers(w io.Writer, members []api.Peer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RELAY\tZONE\tSTATE\tLOAD\tCAPACITY\tSINCE\tURL")
	for _, m := range members {
		name := m.Name
		if m.Self {
			name += " *"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d %%\t%d\t%s\t%s\n", name, cmp.Or(m.Zone, "-"), m.State, m.Load, m.Capacity,
			m.Started.Local().Format("2006-01-02 15:04:05"), m.URL)
	}
	return t.Flush()
}
