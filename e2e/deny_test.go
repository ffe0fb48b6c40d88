package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/sample"
)

// keys makes a key with `stentor token key` and returns its folder and a maker
// of tokens, `stentor token issue`.
func keys(t testing.TB) (dir string, issue func(args ...string) string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "keys")
	start(t, "token", "key", "--kid", "office", "--out", dir+"/").succeed()
	return dir, func(args ...string) string {
		c := start(t, append([]string{"token", "issue", "--key", filepath.Join(dir, "office.jwk")}, args...)...)
		c.succeed()
		return strings.TrimSpace(c.stdout.text())
	}
}

func TestTokensDecideWhoMay(t *testing.T) {
	t.Parallel()
	dir, issue := keys(t)
	r := startRelay(t, "--keys", dir)
	file := writeFile(t, "voice.opus", sample.Voice)
	listener := issue("--room", "town")
	speaker := issue("--room", "town", "--role", "speaker", "--name", "ada")
	elsewhere := issue("--room", "village", "--role", "host", "--name", "ada")
	speaks := func(more ...string) []string {
		return append([]string{"speak", "--relay", r.url, "--room", "town", "--name", "ada"}, append(more, file)...)
	}
	listens := func(more ...string) []string {
		return append([]string{"listen", "--relay", r.url, "--room", "town", "--out", filepath.Join(dir, "x.wav")}, more...)
	}
	for _, tt := range []refusal{
		{name: "speak without", args: speaks(), says: "token"},
		{name: "speak with a listener's", args: speaks("--token", listener), says: "not allowed"},
		{name: "speak elsewhere", args: speaks("--token", elsewhere), says: "not allowed"},
		{name: "speak as another", args: speaks("--token", speaker, "--name", "bob"), says: "not allowed"},
		{name: "speak with a forged one", args: speaks("--token", speaker[:len(speaker)-4]+"AAAA"), says: "not allowed"},
		{name: "listen without, QUIC", args: listens("--quic"), says: "token"},
		{name: "listen without, WebTransport", args: listens("--webtransport"), says: "token"},
		{name: "listen elsewhere, QUIC", args: listens("--quic", "--token", elsewhere), says: "not allowed"},
		{name: "listen elsewhere, WebTransport", args: listens("--webtransport", "--token", elsewhere), says: "not allowed"},
		{name: "listen with no token at all", args: listens("--token", "hello"), says: "not allowed"},
	} {
		tt.code = exitNotAllowed
		t.Run(tt.name, tt.check)
	}
	t.Run("who may", func(t *testing.T) {
		t.Parallel()
		spawn(t, []string{"STENTOR_TOKEN=" + speaker}, stentor, speaks()...)
		l := startListener(t, r, "town", "out.opus", "--speaker", "ada", "--token", listener)
		follow(t, l.stats, "half a second of speech", played(25))
		l.stop().flawless(t, "ada")
	})
}

func TestNamesThatAreNone(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "voice.opus", sample.Voice)
	for _, tt := range []struct{ name, value, says string }{
		{"slash", "town/ada", "slash"},
		{"300 characters", strings.Repeat("x", 300), "300 characters"},
		{"newline", "a\nb", "control character"},
		{"escape", "\x1b[31mred", "control character"},
		{"dot", ".stentor", "dot"},
		{"empty", "", ""},
		{"not UTF-8", "\xff", "UTF-8"},
	} {
		const relay = "https://127.0.0.1:1"
		for verb, args := range map[string][]string{
			"room to speak in":  {"speak", "--relay", relay, "--room", tt.value, "--name", "ada", file},
			"name to speak by":  {"speak", "--relay", relay, "--room", "town", "--name", tt.value, file},
			"room to listen to": {"listen", "--relay", relay, "--room", tt.value, "--out", filepath.Join(t.TempDir(), "x.wav")},
		} {
			t.Run(verb+" "+tt.name, refusal{args: args, code: exitUsage, says: tt.says}.check)
		}
	}
}
