package relay

import (
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/api"
)

// lobby says where a newcomer to a room goes.
func (r *Relay) lobby(room string, q api.LobbyQuery) api.Lobby {
	if r.mesh == nil {
		return r.alone(room, q)
	}
	purpose := placement.Listen
	if q.Speak {
		purpose = placement.Speak
	}
	relays, now := r.reachable(), time.Now()
	o := placement.Options{
		Purpose: purpose,
		Zone:    q.Zone,
		Count:   q.Count,
		Exclude: q.Exclude,
		Pending: r.sent.pending(relays, now),
		Breadth: r.sent.breadth(room, ZoneOf(q.Zone, relays), now),
		Spread:  r.standbySpread(room),
		Who:     rand.Uint64(),
		Roots:   r.liveRoots(room),
	}
	places, wait := Direct(room, r.cfg.Name, relays, o, r.doors.wait(), rand.Float64())
	if !q.Speak && len(places) > 0 {
		r.sent.add(room, places[0].Name, now)
	}
	answer := lobbyOf(room, places)
	answer.RetryAfterMS = wait.Milliseconds()
	return answer
}

// liveRoots are the roots of a room whose plan is known here: a live room keeps
// them when a relay comes that the directory would rather have.
func (r *Relay) liveRoots(room string) (names [2]string) {
	if r.mesh.rooms.Plan(room) != nil {
		copy(names[:], r.mesh.roots(room))
	}
	return names
}

// alone is the lobby of a relay that stands alone.
func (r *Relay) alone(room string, q api.LobbyQuery) api.Lobby {
	self := view{r}.Self()
	if r.State() != Ready || slices.Contains(q.Exclude, self.Name) {
		return api.Lobby{Relays: []api.Member{}, RetryAfterMS: 1000}
	}
	wait := r.doors.wait()
	if !q.Speak && (wait > 0 || admission.At(r.load(), 0).Full) {
		wait = max(wait, admission.Wait(0, 1, rand.Float64()))
		return api.Lobby{Relays: []api.Member{}, RetryAfterMS: wait.Milliseconds()}
	}
	self.URL = roomURL(self.URL, room)
	return api.Lobby{Relays: []api.Member{self}}
}

// known is the directory as it stands, with this relay's own state, which the
// directory may not have heard yet.
func (r *Relay) known() []membership.Relay {
	relays := slices.Clone(r.mesh.directory.Snapshot())
	for i := range relays {
		if relays[i].Name == r.cfg.Name {
			relays[i].State = memberState(r.State())
		}
	}
	return relays
}

// reachable is known without the relays that have fallen silent.
func (r *Relay) reachable() []membership.Relay {
	gone := r.others.gone()
	return slices.DeleteFunc(r.known(), func(o membership.Relay) bool { return slices.Contains(gone, o.Name) })
}

// candidates is where a session may go on: the relay it is at, while that takes
// newcomers, and those that would stand in for it. The channel is closed when
// there may be something new.
func (r *Relay) candidates(p *peer) (list []byte, changed <-chan struct{}) {
	room, listens := p.purpose()
	if r.mesh == nil {
		_, changed := r.state.Get()
		list, _ := json.Marshal(r.alone(room, api.LobbyQuery{})) // of strings and numbers
		return list, changed
	}
	version, changed := r.others.version.Get()
	key := listKey{room: room, listens: listens, share: p.who % shares, state: r.State()}
	return r.lists.get(key, version, time.Now(), func() []byte { return r.list(key) }), changed
}

// list is what candidates tells those of a key.
func (r *Relay) list(key listKey) []byte {
	room := key.room
	relays := r.reachable()
	o := placement.Options{
		Zone:    r.cfg.Zone,
		Count:   placement.DefaultCount,
		Exclude: []string{r.cfg.Name},
		Spread:  r.standbySpread(room),
		Who:     key.share,
		Roots:   r.liveRoots(room),
	}
	if !key.listens {
		o.Purpose = placement.Speak
	}
	var places []membership.Relay
	if self, ok := membership.Find(relays, r.cfg.Name); ok && key.state == Ready {
		places = append(places, self)
	}
	others := StandIns(room, relays, o)
	r.others.watch(others)
	answer := lobbyOf(room, append(places, others...))
	answer.Gone = r.others.gone()
	answer.Cold = Cold(r.gauge.ladder(), others)
	for i := range answer.Relays {
		answer.Relays[i].Load = 0 // changes all the time, and would be news each time
	}
	list, _ := json.Marshal(answer) // of strings and numbers
	return list
}

func lobbyOf(room string, places []membership.Relay) api.Lobby {
	out := api.Lobby{Relays: make([]api.Member, 0, len(places))}
	for _, place := range places {
		out.Relays = append(out.Relays, memberOf(place, room))
	}
	return out
}

// memberOf is a relay as a client wants it.
func memberOf(r membership.Relay, room string) api.Member {
	m := api.Member{
		Name:   r.Name,
		URL:    roomURL(r.URL, room),
		Zone:   r.Zone,
		Load:   int(r.Load),
		Packet: packetFor(int(r.Load)),
	}
	for _, sum := range r.CertificateSHA256 {
		m.CertificatesSHA256 = append(m.CertificatesSHA256, hex.EncodeToString(sum[:]))
	}
	if len(m.CertificatesSHA256) > 0 {
		m.CertificateSHA256 = m.CertificatesSHA256[0]
	}
	return m
}

// roomURL is a relay's URL with the room that sessions are opened at.
func roomURL(base, room string) string {
	if room == "" {
		return base
	}
	return base + "/" + url.PathEscape(room)
}

// packetFor is what newcomers are offered: packets of 120 ms cost a busy relay
// half of what those of 60 ms do.
func packetFor(load int) string {
	return strconv.FormatInt(admission.At(float64(load), 0).Packet.Milliseconds(), 10) + "ms"
}

// standbySpread is how many relays share the standbys of those who listen to a room
// here.
func (r *Relay) standbySpread(room string) int {
	relays := 0
	if p := r.mesh.rooms.Plan(room); p != nil {
		relays = p.Len()
	}
	return StandbySpread(r.listeners(room), r.doors.joins(), relays)
}

// listeners is how many sessions listen to a room here.
func (r *Relay) listeners(room string) int { return r.audience.of(room) }
