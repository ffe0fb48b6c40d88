package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/stage"
)

func roomCommand() *cli.Command {
	return &cli.Command{
		Name:  "room",
		Usage: "make rooms, and say who may do what in them",
		UsageText: "stentor room create town --title \"Town hall\" --token $HOST\n" +
			"stentor room create launch --starts 20:00 --token $HOST\n" +
			"stentor room show town\n" +
			"stentor room invite town ada --token $HOST\n" +
			"stentor room mute town ada --token $HOST\n" +
			"stentor room hands town --raise --token $LISTENER",
		Description: "Any relay will do for --relay; it passes a command on. WHO is a name as 'show' has it, or the subject\n" +
			"(\"sub\") of a token; without it, it is you. Hosts may do everything; co-hosts invite, mute and remove\n" +
			"those below them; everybody may mute themselves and raise a hand. What is decided about somebody\n" +
			"sticks to their token's subject, wherever they connect.\n\n" +
			"On a relay that is --open everybody is host, and --as NAME says who raises a hand.\n\n" +
			"Exit codes: 0 done, 1 refused as the room is, 2 wrong usage, 3 not allowed, 4 nobody reachable.",
		OnUsageError: usageError,
		Subcommands: []*cli.Command{
			roomVerb("create", "ROOM", "make a room; a room that somebody speaks in exists without", runCreate,
				&cli.StringFlag{Name: "title", Usage: "what it is about", EnvVars: env("title")},
				&cli.StringFlag{Name: "starts", Usage: "announce it for a `TIME`, such as 20:00, 2026-12-24T18:00:00Z, or 10m for ten minutes from now; until then nobody is heard", EnvVars: env("starts")}),
			roomVerb("show", "ROOM", "who is on the stage, what state it is in", runShow),
			roomVerb("list", "", "the rooms of the network", runList),
			roomVerb("start", "ROOM", "begin a room that was announced, now", command("start", false)),
			roomVerb("end", "ROOM", "end it for good", command("end", false)),
			roomVerb("invite", "ROOM WHO", "make somebody a speaker", command("invite", true)),
			roomVerb("promote", "ROOM WHO", "give somebody a role", command("promote", true),
				&cli.StringFlag{Name: "role", Usage: "host, cohost, speaker or listener", EnvVars: env("role")}),
			roomVerb("mute", "ROOM [WHO]", "have somebody not be heard", command("mute", false)),
			roomVerb("unmute", "ROOM [WHO]", "have them be heard again", command("unmute", false)),
			roomVerb("remove", "ROOM WHO", "take somebody off the stage and out; they may come back to listen", command("remove", true)),
			roomVerb("ban", "ROOM WHO", "keep somebody out", command("ban", true)),
			roomVerb("unban", "ROOM WHO", "let them in again", command("unban", true)),
			roomVerb("hands", "ROOM [WHO]", "whose hands are up (for hosts), or raise and lower one", runHands,
				&cli.BoolFlag{Name: "raise", Usage: "raise yours"},
				&cli.BoolFlag{Name: "lower", Usage: "lower yours, or as a host that of WHO"}),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no 'room %s'; see 'stentor room --help'", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// roomVerb is one of the commands.
func roomVerb(name, arguments, usage string, run cli.ActionFunc, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: arguments,
		UsageText:    strings.TrimSpace("stentor room "+name+" "+arguments) + " [--relay URL] [--token JWT] [--json]",
		OnUsageError: usageError,
		Flags: append(flags,
			&cli.StringSliceFlag{Name: "relay", Usage: "`URL` of a relay; repeat it for others to ask if it does not answer", DefaultText: defaultRelay, EnvVars: env("relay")},
			&cli.StringFlag{Name: "token", Usage: "the `JWT` that says who you are", EnvVars: env("token")},
			&cli.StringFlag{Name: "as", Usage: "who you are, by `NAME`, on a relay that is --open", EnvVars: env("as")},
			&cli.StringSliceFlag{Name: "certificate-sha256", Usage: "accept a relay's certificate by its `HASH`, as /certificate.sha256 shows it, instead of by authority", EnvVars: env("certificate-sha256")},
			&cli.Uint64Flag{Name: "at-version", Usage: "do it only if the room is as it was at this `VERSION`, as 'show --json' has it", EnvVars: env("at-version")},
			jsonFlag(),
		),
		Action: run,
	}
}

// roomArguments are the room and who it is about.
func roomArguments(c *cli.Context, needWho bool) (room, who string, err error) {
	room, who = c.Args().Get(0), c.Args().Get(1)
	switch {
	case room == "":
		return "", "", usagef("which room? stentor room %s %s", c.Command.Name, c.Command.ArgsUsage)
	case needWho && who == "":
		return "", "", usagef("who? stentor room %s %s", c.Command.Name, c.Command.ArgsUsage)
	case c.NArg() > 2:
		return "", "", usagef("%q is one too many: stentor room %s %s", c.Args().Get(2), c.Command.Name, c.Command.ArgsUsage)
	}
	return room, who, nil
}

// roomBody is what is sent of a command.
type roomBody struct {
	Room    string `json:"room,omitempty"`
	Title   string `json:"title,omitempty"`
	Starts  string `json:"starts,omitempty"`
	Who     string `json:"who,omitempty"`
	Role    string `json:"role,omitempty"`
	Up      *bool  `json:"up,omitempty"`
	Version uint64 `json:"version,omitempty"`
	As      string `json:"as,omitempty"`
}

func bodyOf(c *cli.Context) roomBody {
	return roomBody{Version: c.Uint64("at-version"), As: c.String("as")}
}

// command runs a verb about somebody.
func command(verb string, needWho bool) cli.ActionFunc {
	return func(c *cli.Context) error {
		room, who, err := roomArguments(c, needWho)
		if err != nil {
			return err
		}
		body := bodyOf(c)
		body.Who, body.Role = who, c.String("role")
		if verb == "promote" && body.Role == "" {
			return usagef("--role is missing: host, cohost, speaker or listener")
		}
		return postRoom(c, "/v1/rooms/"+url.PathEscape(room)+"/"+verb, body)
	}
}

func runCreate(c *cli.Context) error {
	room, who, err := roomArguments(c, false)
	if err != nil {
		return err
	}
	if who != "" {
		return usagef("one room at a time: %q is one too many; a title of several words stands in quotes behind --title", who)
	}
	body := bodyOf(c)
	body.Room, body.Title = room, c.String("title")
	if body.Starts, err = startsAt(c.String("starts"), time.Now()); err != nil {
		return err
	}
	return postRoom(c, "/v1/rooms", body)
}

func postRoom(c *cli.Context, path string, body roomBody) error {
	var v stage.View
	if err := askRelay(c, "POST", path, body, &v); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(v)
	}
	return printView(v, -1)
}

func runShow(c *cli.Context) error {
	room, who, err := roomArguments(c, false)
	if err != nil {
		return err
	}
	if who != "" {
		return usagef("one room at a time: %q is one too many", who)
	}
	var r api.Room
	if err := askRelay(c, "GET", "/v1/rooms/"+url.PathEscape(room), nil, &r); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	v := stage.View{Room: r.Room, State: stage.Phase(r.State), Title: r.Title, Starts: r.Starts, Version: r.Version, Stage: r.Stage, Hands: r.Hands}
	if err := printView(v, r.Listeners); err != nil {
		return err
	}
	var speaking []string
	for _, s := range r.Speakers {
		speaking = append(speaking, s.Name)
	}
	if len(speaking) > 0 {
		fmt.Println("  on the air:", strings.Join(speaking, ", "))
	}
	return nil
}

// printView writes a room for people. listeners below 0 are not known.
func printView(v stage.View, listeners int) error {
	line := fmt.Sprintf("%s: %s", v.Room, v.State)
	if v.Title != "" {
		line = fmt.Sprintf("%s %q: %s", v.Room, v.Title, v.State)
	}
	if v.State == stage.Announced && v.Starts != nil {
		line += ", begins " + v.Starts.Local().Format("2006-01-02 15:04:05 MST")
	}
	if listeners >= 0 {
		line += ", " + plural(listeners, "listener")
	}
	line += fmt.Sprintf(", %s up, version %d", plural(v.Hands, "hand"), v.Version)
	fmt.Println(line)
	for _, p := range v.Stage {
		muted := ""
		if p.Muted {
			muted = ", muted"
		}
		fmt.Printf("  %-8s %s%s\n", p.Role, p.Name, muted)
	}
	return nil
}

func runList(c *cli.Context) error {
	if c.NArg() > 0 {
		return usagef("list takes no argument: %q; 'stentor room show ROOM' is about one", c.Args().First())
	}
	var answer struct {
		Rooms []api.Room `json:"rooms"`
	}
	if err := askRelay(c, "GET", "/v1/rooms", nil, &answer); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(answer)
	}
	for _, r := range answer.Rooms {
		fmt.Printf("%s\t%s\t%s\t%s\t%s\n", r.Room, r.State, plural(len(r.Speakers), "speaker"), plural(r.Listeners, "listener"), r.Title)
	}
	return nil
}

func runHands(c *cli.Context) error {
	room, who, err := roomArguments(c, false)
	if err != nil {
		return err
	}
	path := "/v1/rooms/" + url.PathEscape(room) + "/hands"
	up := c.Bool("raise")
	switch {
	case up && c.Bool("lower"):
		return usagef("--raise and --lower exclude each other")
	case up || c.Bool("lower"):
		body := bodyOf(c)
		body.Who, body.Up = who, &up
		return postRoom(c, path, body)
	case who != "":
		return usagef("what about %q? --lower puts a hand down; without a name, whose hands are up", who)
	}
	var answer struct {
		Hands  []string     `json:"hands"`
		Raised []raisedHand `json:"raised,omitempty"`
	}
	if err := askRelay(c, "GET", path, nil, &answer); err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(answer)
	}
	if len(answer.Raised) == 0 { // of a relay that does not tell their names
		for _, subject := range answer.Hands {
			answer.Raised = append(answer.Raised, raisedHand{Subject: subject})
		}
	}
	for _, hand := range answer.Raised {
		fmt.Println(hand)
	}
	return nil
}

// A raisedHand is whose hand is up.
type raisedHand struct {
	Subject string `json:"subject"`
	Name    string `json:"name"`
}

// String is the subject, and the name behind it if it is another.
func (h raisedHand) String() string {
	if h.Name == "" || h.Name == h.Subject {
		return h.Subject
	}
	return h.Subject + "\t" + h.Name
}

// askRelay asks the relays of the command line one after the other, until one
// answers.
func askRelay(c *cli.Context, method, path string, body, into any) (err error) {
	http, err := relayHTTP(c.StringSlice("certificate-sha256"))
	if err != nil {
		return err
	}
	defer http.CloseIdleConnections()
	for _, base := range relays(c) {
		ctx, stop := context.WithTimeout(c.Context, 10*time.Second)
		err = askOne(ctx, http, base, c.String("token"), method, path, body, into)
		stop()
		if !errors.Is(err, errNoAnswer) {
			return err
		}
	}
	return err
}
