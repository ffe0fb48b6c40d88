package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/stentor-audio/stentor/bench/scenarios"
)

// ErrScenario says what is wrong with a scenario, and on which line.
var ErrScenario = errors.New("scenario")

// A Scenario is an event to rehearse, as its file says it (docs/simulator.md).
type Scenario struct {
	Name     string   `yaml:"name"`
	About    string   `yaml:"about"`
	Duration Duration `yaml:"duration"`

	Network    Network   `yaml:"network"`
	Rooms      Rooms     `yaml:"rooms"`
	Arrivals   []Arrival `yaml:"arrivals"`
	Stay       Duration  `yaml:"stay"`
	Happenings []Strike  `yaml:"happenings"`
	Expect     Expect    `yaml:"expect"`

	lines map[string]int // where a key stands, by its path
}

// A Network is the relays that there are at the beginning.
type Network struct {
	Zones []Zone `yaml:"zones"`

	// Capacity is what a relay is told by --capacity; 5000 if it is not given.
	Capacity int `yaml:"capacity"`
	// Cores are a relay's processors; 8 if it is not given.
	Cores int `yaml:"cores"`
	// Shared are processors on which every handshake of all relays and their clients is
	// made, as where one machine is everything; 0: each relay has its own for that.
	Shared float64 `yaml:"cores_shared"`
	// Egress is --egress in packets a second; 0 is no limit.
	Egress int `yaml:"egress"`
	// JoinRate is --join-rate; 0 lets each relay find its own.
	JoinRate int `yaml:"join_rate"`
	// Degree is --degree; 16 if it is not given.
	Degree int `yaml:"degree"`
	// Start is how long a relay takes from being started to being ready.
	Start Duration `yaml:"start"`

	// Lobbies is how many relays of each zone newcomers ask where to go; 0: any.
	Lobbies int `yaml:"lobbies"`
	// LobbyCache is how long something before the lobbies keeps an answer.
	LobbyCache Duration `yaml:"lobby_cache"`
	// Lost says that newcomers do not tell the lobby which zone they are in.
	Lost bool `yaml:"zone_unknown"`
}

// A Zone is how many relays stand somewhere.
type Zone struct {
	Name   string `yaml:"name"`
	Relays int    `yaml:"relays"`
}

// Rooms are the rooms that newcomers come to, each as likely as any other.
type Rooms struct {
	Count    int      `yaml:"count"`    // 1 if it is not given
	Speakers int      `yaml:"speakers"` // in each; 1 if it is not given
	Delay    Duration `yaml:"delay"`    // of playout, with packets of 60 ms; 200 ms if it is not given
	Packet   Duration `yaml:"packet"`   // that listeners ask for: 60 or 120 ms; 0: what relays wish
}

// An Arrival is a wave of newcomers.
type Arrival struct {
	From      Duration `yaml:"from"`
	Over      Duration `yaml:"over"`
	Listeners int      `yaml:"listeners"`
	// Shape is even, or peak: rising to the middle and falling after it.
	Shape string `yaml:"shape"`
}

// A Strike is something that happens to relays, or to the network.
type Strike struct {
	At Duration `yaml:"at"`
	// Do is add, kill, freeze, drain, roll, flap or split.
	Do string `yaml:"do"`
	// Whom it happens to: so many relays (of a zone, if one is given), all of a
	// zone, a share of all, or those of a role in the first room: red, blue, roots, edge.
	Relays int      `yaml:"relays"`
	Zone   string   `yaml:"zone"`
	Zones  []string `yaml:"zones"`
	Share  float64  `yaml:"share"`
	Role   string   `yaml:"role"`
	// Down is how long a relay is gone; 0: for good. Of a split, how long it lasts.
	Down Duration `yaml:"down"`
	// Up is how long a relay of flap runs until it fails again.
	Up Duration `yaml:"up"`
	// For is how long flap goes on.
	For Duration `yaml:"for"`
	// Every is how long roll waits between two relays of a zone's turn, and AtOnce
	// how many it takes at a time.
	Every  Duration `yaml:"every"`
	AtOnce int      `yaml:"at_once"`
	// Deadline is a drain's.
	Deadline Duration `yaml:"deadline"`
}

// Expect is what a scenario promises. What is not given is not looked at.
type Expect struct {
	Lost         *int64    `yaml:"lost"`           // frames at most, of all who were let in
	OthersLost   *int64    `yaml:"others_lost"`    // frames at most, of those whose relay was not struck
	StruckGapP99 *Duration `yaml:"struck_gap_p99"` // of those whose relay was
	Unserved     *int      `yaml:"unserved"`       // at the end
	Failed       *int      `yaml:"failed"`         // newcomers who were shown an error
	AllIn        *Duration `yaml:"all_in"`         // after the last capacity was ready, or else after the last came
	SpeakersOut  *Duration `yaml:"speakers_out"`   // for how long a speaker was heard nowhere
	LoadSpread   *float64  `yaml:"load_spread"`    // the busiest relay of a zone over the mean, at the end
	Converge     *Duration `yaml:"converge"`       // until the trees are whole after anything that happens
}

// A Duration is a time as Go writes it: 90s, 4m.
type Duration time.Duration

// UnmarshalYAML implements [yaml.Unmarshaler].
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if n.Value == "0" {
		v, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("line %d: %q is no time: want one such as 90s or 4m", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) get() time.Duration { return time.Duration(d) }

// Open returns the scenario of that name, or in the file of that path.
func Open(name string) (*Scenario, error) {
	if text, ok := scenarios.Read(name); ok {
		return Parse(text)
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %q, and none of that name among %s", ErrScenario, name, strings.Join(scenarios.Names(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	return Parse(text)
}

// maxText bounds what is read of a file, in bytes.
const maxText = 1 << 20

// Parse reads a scenario. Unknown keys, values of another kind and numbers that
// make no sense are an [ErrScenario] which names the line.
func Parse(text []byte) (*Scenario, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: %d bytes: at most %d", ErrScenario, len(text), maxText)
	}
	s := &Scenario{lines: make(map[string]int)}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: it is empty", ErrScenario)
		}
		return nil, fmt.Errorf("%w: %s", ErrScenario, plain(err))
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err == nil && len(root.Content) > 0 {
		s.note("", root.Content[0])
	}
	return s, s.complete()
}

// plain is yaml's error without what only a Go programmer understands.
func plain(err error) string {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return strings.TrimPrefix(err.Error(), "yaml: ")
	}
	var lines []string
	for _, line := range wrong.Errors {
		if before, _, ok := strings.Cut(line, " not found in type"); ok {
			line = strings.Replace(before, "field ", "there is no key ", 1)
		}
		lines = append(lines, strings.NewReplacer("!!", "", "cannot unmarshal ", "cannot take ").Replace(line))
	}
	return strings.Join(lines, "; ")
}

// note remembers on which lines the keys below a node stand.
func (s *Scenario) note(path string, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			s.lines[key] = n.Content[i].Line
			s.note(key, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			key := fmt.Sprintf("%s[%d]", path, i)
			s.lines[key] = item.Line
			s.note(key, item)
		}
	}
}
