package relay_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/relay/stage"
)

// page gets what a relay's public HTTP answers.
func (m *member) page(path string) (status int, body string) {
	m.t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(within(m.t), http.MethodGet, m.URL()+path, http.NoBody)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// room is a room as m shows it, the zero Room if it does not.
func (m *member) room(name string) (r api.Room) {
	m.t.Helper()
	if status, body := m.page("/v1/rooms/" + name); status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			m.t.Fatalf("%s: %v", body, err)
		}
	}
	return r
}

func (m *member) rooms() []api.Room {
	m.t.Helper()
	var answer struct{ Rooms []api.Room }
	status, body := m.page("/v1/rooms")
	if err := json.Unmarshal([]byte(body), &answer); status != http.StatusOK || err != nil {
		m.t.Fatalf("%d %s: %v", status, body, err)
	}
	return answer.Rooms
}

// soon reports whether ok becomes true while the network may need to settle.
func soon(ok func() bool) bool {
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// everySees waits until every relay shows the rooms alike, one by one and in its
// list.
func everySees(t *testing.T, relays []*member, want ...api.Room) {
	t.Helper()
	for i := range want {
		want[i].Stage = []stage.PersonView{} // nobody has made the room
	}
	for _, m := range relays {
		var got []api.Room
		ok := func() bool { got = m.rooms(); return reflect.DeepEqual(got, want) }
		if !soon(ok) {
			t.Fatalf("%s lists\n%+v, want\n%+v", m.Name(), got, want)
		}
		for _, w := range want {
			var r api.Room
			if !soon(func() bool { r = m.room(w.Room); return reflect.DeepEqual(r, w) }) {
				t.Fatalf("%s shows\n%+v, want\n%+v", m.Name(), r, w)
			}
		}
	}
}

// Every relay tells of the whole network who speaks and how many listen, also one
// that takes no part.
func TestListenersAreCountedNetworkWide(t *testing.T) {
	relays := network(t, 5)
	ada, bob, eve := newVoice(t, "town/ada"), newVoice(t, "town/bob"), newVoice(t, "hall/eve")
	ada.publish(relays[0].URL(), client.Options{})
	bob.publish(relays[1].URL(), client.Options{})
	eve.publish(relays[1].URL(), client.Options{})
	ada.publish(relays[2].URL(), client.Options{}) // one voice at two relays is one speaker
	ada.speak(1)
	bob.speak(1)

	both := dial(t, relays[1].URL(), client.Options{}) // hears two speakers, and is one listener
	subscribe(t, both, "town/ada", protocol.TrackAudio, protocol.Delivery{})
	subscribe(t, both, "town/bob", protocol.TrackAudio, protocol.Delivery{})
	beside := dial(t, relays[1].URL(), client.Options{})
	subscribe(t, beside, "town/ada", protocol.Track60, protocol.Delivery{})
	away := dial(t, relays[2].URL(), client.Options{})
	_, sub := subscribe(t, away, "town/ada", protocol.TrackAudio, protocol.Delivery{})
	standby := dial(t, relays[3].URL(), client.Options{})
	if _, err := standby.TrackInfo(within(t), "town/ada", protocol.TrackAudio); err != nil {
		t.Fatal(err)
	}

	audio, all := []string{protocol.TrackAudio}, []string{protocol.Track60, protocol.TrackAudio}
	hall := api.Room{Room: "hall", State: "live", Speakers: []api.Speaker{{Name: "eve", Tracks: audio}}}
	town := api.Room{Room: "town", State: "live", Listeners: 3, Speakers: []api.Speaker{{Name: "ada", Tracks: all}, {Name: "bob", Tracks: audio}}}
	everySees(t, relays, hall, town)

	sub.Close()
	town.Listeners = 2
	everySees(t, relays, hall, town)
	both.Close()
	beside.Close()
	town.Listeners = 0
	if !soon(func() bool { return relays[4].room("town").Listeners == 0 }) {
		t.Errorf("%+v", relays[4].room("town"))
	}
	if status, body := relays[4].page("/v1/rooms/moon"); status != http.StatusNotFound {
		t.Errorf("a room that is not live: %d %s", status, body)
	}
}

// Who listened at a relay that is gone is not counted any more.
func TestListenersOfADeadRelayAreGone(t *testing.T) {
	relays := network(t, 3)
	v := newVoice(t, "town/ada")
	v.publish(relays[0].URL(), client.Options{})
	v.speak(1)
	for _, m := range relays[:2] {
		subscribe(t, dial(t, m.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	}
	town := api.Room{Room: "town", State: "live", Listeners: 2, Speakers: []api.Speaker{{Name: "ada", Tracks: []string{protocol.TrackAudio}}}}
	everySees(t, relays, town)
	relays[1].leave()
	town.Listeners = 1
	everySees(t, []*member{relays[0], relays[2]}, town)
}
