package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
)

// roomState is what a relay tells of a room, as far as it is looked at here.
type roomState struct {
	State, Title string
	Stage        []struct {
		Name, Role string
		Muted      bool
	}
}

// The roots of a room are killed, and with them every relay that knows it. What was
// decided comes back with its host's client.
func TestRoomOutlivesAllRelaysThatKnewIt(t *testing.T) {
	t.Parallel()
	dir, issue := keys(t)
	token := func(role, name string) string {
		return issue("--room", "town", "--role", role, "--name", name, "--sub", name)
	}
	host, ada, mal := token("host", "boss"), token("speaker", "ada"), token("listener", "mal")

	gossip := freeAddress(t)
	relays := []*relay{startRelay(t, "--keys", dir, "--gossip", gossip, "--name", "relay-0")}
	for i := 1; i < 5; i++ {
		relays = append(relays, startRelay(t, "--keys", dir, "--gossip", "127.0.0.1:0", "--name", fmt.Sprintf("relay-%d", i), "--join", gossip))
	}
	for _, r := range relays {
		eventually(t, "everybody knows everybody", func() bool {
			_, body := get(t, r.admin+"/v1/members")
			return strings.Count(body, `"state":"ready"`) == len(relays)
		})
	}
	command := func(at *relay, jwt string, args ...string) *child {
		return start(t, append(append([]string{"room"}, args...), "--relay", at.url, "--token", jwt)...)
	}
	command(relays[0], host, "create", "town", "--title", "Town hall").succeed()
	for _, args := range [][]string{{"ban", "town", "mal"}, {"invite", "town", "ada"}, {"mute", "town", "ada"}, {"promote", "town", "carl", "--role", "cohost"}} {
		command(relays[1], host, args...).succeed()
	}
	speaker, err := client.NewSpeaker(client.SpeakOptions{
		Room: "town", Name: "boss", Relays: []string{relays[0].url + "/town", relays[1].url + "/town"},
		Dial: client.Options{Token: host},
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = speaker.Run(context.Background()) })
	t.Cleanup(func() { speaker.Close(); running.Wait() })

	var tree struct{ Red, Blue string }
	eventually(t, "the room has its roots", func() bool {
		_, body := get(t, relays[0].admin+"/v1/tree?room=town")
		return json.Unmarshal([]byte(body), &tree) == nil && tree.Red != "" && tree.Blue != ""
	})
	settled := func(r *relay) bool {
		var s roomState
		_, body, err := fetch(r.http + "/v1/rooms/town")
		if err != nil || json.Unmarshal([]byte(body), &s) != nil {
			return false
		}
		is := func(name, role string, muted bool) bool {
			return slices.ContainsFunc(s.Stage, func(p struct {
				Name, Role string
				Muted      bool
			}) bool {
				return p.Name == name && p.Role == role && p.Muted == muted
			})
		}
		return s.State == "live" && s.Title == "Town hall" && is("ada", "speaker", true) && is("carl", "cohost", false) && is("boss", "host", false)
	}
	eventually(t, "the room is as it should be", func() bool { return settled(relays[0]) })

	var left []*relay
	began := time.Now()
	for i, r := range relays {
		if i < 2 || r.name == tree.Red || r.name == tree.Blue {
			r.kill()
			t.Logf("killed %s", r.name)
		} else {
			left = append(left, r)
		}
	}
	var waiting sync.WaitGroup
	for _, r := range left {
		waiting.Go(func() {
			known := func() bool {
				status, body, err := fetch(r.http + "/v1/rooms/town/state?jwt=" + host)
				return err == nil && status == 200 && strings.Contains(body, "Town hall") && strings.Contains(body, `"mal"`)
			}
			if !holds(known) {
				t.Errorf("%s does not know it again", r.name)
			}
			after := time.Since(began)
			if !holds(func() bool { return settled(r) }) {
				t.Errorf("%s does not show it again", r.name)
			}
			t.Logf("%s knows it again after %v, and shows it after %v", r.name, after.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		})
	}
	waiting.Wait()
	for _, r := range left {
		for jwt, says := range map[string]string{mal: "banned", ada: "not"} {
			verb := map[string]string{mal: "hands", ada: "unmute"}[jwt]
			args := []string{verb, "town"}
			if verb == "hands" {
				args = append(args, "--raise")
			}
			refused := command(r, jwt, args...)
			if code := refused.wait(); code != exitNotAllowed || !strings.Contains(refused.stderr.text(), says) {
				t.Errorf("%s at %s: exit code %d: %s", verb, r.name, code, refused.stderr.text())
			}
		}
	}
	command(left[0], host, "unban", "town", "mal").succeed()
}
