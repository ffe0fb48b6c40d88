package e2e

import (
	"net"
	"strings"
	"testing"
)

// What scripts branch on.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotAllowed  = 3
	exitUnreachable = 4
)

// A refusal is a command that must fail with a code and a message.
type refusal struct {
	name string
	args []string
	env  []string
	code int
	says string
}

func (r refusal) check(t *testing.T) {
	t.Parallel()
	r.run(t)
}

func (r refusal) run(t *testing.T) {
	t.Helper()
	c := spawn(t, r.env, stentor, r.args...)
	code := c.wait()
	lines := strings.Split(strings.TrimSuffix(c.stderr.text(), "\n"), "\n")
	last := lines[len(lines)-1]
	if code != r.code || !strings.HasPrefix(last, "stentor: ") || !strings.Contains(last, r.says) {
		t.Errorf("exit code %d and %q; want %d and %q", code, last, r.code, r.says)
	}
	if out := c.stdout.text(); out != "" {
		t.Errorf("printed %q on stdout", out)
	}
}

// relayArgs is a command line that would do, and more.
func relayArgs(more ...string) []string {
	return append([]string{"relay", "--listen", "127.0.0.1:0", "--http", "", "--admin", ""}, more...)
}

func TestRelayRefusesToStart(t *testing.T) {
	t.Parallel()
	file := func(name, content string) string { return writeFile(t, name, []byte(content)) }
	tests := []refusal{
		{name: "nobody may come in", args: relayArgs(), code: exitUsage, says: "--keys FILE"},
		{name: "with and without tokens", args: relayArgs("--open", "--keys", "k"), code: exitUsage, says: "choose one"},
		{name: "no keys there", args: relayArgs("--keys", "/nonexistent"), code: exitUsage, says: "no such file"},
		{name: "half a certificate", args: relayArgs("--open", "--cert", "c.pem"), code: exitUsage, says: "--cert and --key go together"},
		{name: "unknown flag", args: relayArgs("--opne"), code: exitUsage, says: "'stentor relay --help'"},
		{name: "argument", args: relayArgs("--open", "town"), code: exitUsage, says: `"town"`},
		{name: "no port", args: relayArgs("--open", "--listen", "localhost"), code: exitUsage, says: "want HOST:PORT"},
		{name: "clear text for all", args: relayArgs("--open", "--http", "0.0.0.0:0"), code: exitUsage, says: "loopback"},
		{name: "capacity in words", args: relayArgs("--open", "--capacity", "many"), code: exitUsage, says: "capacity"},
		{name: "capacity in words in the environment", args: relayArgs("--open"), env: []string{"STENTOR_CAPACITY=many"}, code: exitUsage, says: "STENTOR_CAPACITY"},
		{name: "loud log", args: relayArgs("--open", "--log-level", "loud"), code: exitUsage, says: "--log-level"},
		{name: "name of two lines", args: relayArgs("--open", "--name", "a\nready b https://c"), code: exitUsage, says: "control character"},
		{name: "no config file", args: relayArgs("--config", "/nonexistent.toml"), code: exitUsage, says: "no such file"},
		{name: "config of no format", args: relayArgs("--config", file("relay.ini", "open = true")), code: exitUsage, says: ".toml or .yaml"},
		{name: "unknown key in TOML", args: relayArgs("--config", file("a.toml", "opne = true")), code: exitUsage, says: `unknown key "opne"`},
		{name: "unknown key in YAML", args: relayArgs("--config", file("a.yaml", "opne: true")), code: exitUsage, says: `unknown key "opne"`},
		{name: "damaged TOML", args: relayArgs("--config", file("b.toml", "open =")), code: exitUsage, says: "b.toml"},
		{name: "damaged YAML", args: relayArgs("--config", file("b.yaml", "open: [")), code: exitUsage, says: "b.yaml"},
		{name: "wrong type in the config", args: relayArgs("--config", file("c.toml", "open = 'perhaps'")), code: exitUsage, says: "c.toml: open"},
		{name: "a table in the config", args: relayArgs("--config", file("d.yaml", "open: true\nname: {first: a}")), code: exitUsage, says: "d.yaml: name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.check)
	}
}

func TestRelaySaysWhichPortIsInUse(t *testing.T) {
	t.Parallel()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() }) // after the parallel tests
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	taken := tcp.Addr().String()
	for _, tt := range []refusal{
		{name: "UDP of --listen", args: relayArgs("--open", "--listen", udp.LocalAddr().String()), code: exitFailed, says: "--listen: port already in use: udp"},
		{name: "TCP of --listen", args: relayArgs("--open", "--listen", taken), code: exitFailed, says: "--listen: port already in use"},
		{name: "--http", args: relayArgs("--open", "--http", taken), code: exitFailed, says: "--http: port already in use"},
		{name: "--admin", args: relayArgs("--open", "--admin", taken), code: exitFailed, says: "--admin: port already in use"},
	} {
		t.Run(tt.name, tt.check)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []refusal{
		{name: "no such verb", args: []string{"shout"}, code: exitUsage, says: `there is no "shout"`},
		{name: "no such global flag", args: []string{"--loud"}, code: exitUsage, says: "loud"},
		{name: "demo with an argument", args: []string{"demo", "town"}, code: exitUsage, says: `"town"`},
		{name: "demo of less than no time", args: []string{"demo", "--duration", "-1s"}, code: exitUsage, says: "--duration"},
	} {
		t.Run(tt.name, tt.check)
	}
}
