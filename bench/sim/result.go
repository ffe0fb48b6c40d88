package sim

// A Result is what [Run] found. The first fields are those that scripts rely on.
type Result struct {
	Relays    int `json:"relays"`    // at most at a time
	Listeners int `json:"listeners"` // who came
	Rooms     int `json:"rooms"`

	DepthMax      int  `json:"depth_max"`      // hops from a root, in any plan
	DegreeMax     int  `json:"degree_max"`     // relays that one has fed, in any plan
	Disjoint      bool `json:"disjoint"`       // no relay has fed others in both colours
	ReparentedMax int  `json:"reparented_max"` // relays whose parents one change of a plan changed

	// Unserved is how many wanted to listen at the end and did not, those who were
	// shown an error included.
	Unserved int `json:"unserved"`
	// Lost is how many frames of 20 ms were not there when they would have had to
	// be played, at listeners who had been let in.
	Lost int64 `json:"lost"`

	// Load is that of the relays which had listeners at the busiest sample, in
	// percent.
	Load Spread `json:"placement_load"`
	// ConvergeMS is how long the rooms' trees took at the longest, from something
	// that happened until every relay of every room had its parents.
	ConvergeMS int64 `json:"converge_ms"`

	Scenario string       `json:"scenario"`
	About    string       `json:"about,omitempty"`
	Seed     uint64       `json:"seed"`
	EndMS    int64        `json:"end_ms"` // simulated
	Partial  bool         `json:"partial,omitempty"`
	Expected int64        `json:"expected"` // frames that listeners were to hear
	LostAt   Losses       `json:"lost_at"`  // Lost, by what it was for
	Spreads  []ZoneSpread `json:"load_by_zone"`

	// Promises are what the scenario expects, in its order.
	Promises []Promise `json:"promises"`
	// Shortfall says why the scenario cannot be served at all; nil if it can.
	Shortfall *Shortfall `json:"shortfall,omitempty"`

	Joins    Joins    `json:"joins"`
	Hops     []Hops   `json:"hops"` // by cause, in the order of package hop
	Gaps     []Gaps   `json:"gaps"` // by who was struck
	Speakers Speakers `json:"speakers"`

	Happened []Happening `json:"happened"` // what the scenario did, in order
	Series   Series      `json:"series"`
	Depths   []int       `json:"depths"`  // at the end: Depths[d] relays are d hops from the farther root, over all rooms
	Degrees  []int       `json:"degrees"` // at the end: Degrees[d] relays feed d others

	// Before and After are the tree of the largest room when it had come to rest
	// before the first thing that happened, and at the end.
	Before Tree `json:"tree_before"`
	After  Tree `json:"tree_after"`

	Constants []Constant `json:"constants"` // that the run was made with
	Messages  Counts     `json:"counts"`
}

// A Spread is quantiles of loads in percent, and their mean.
type Spread struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

// A ZoneSpread is the spread of one zone's loads at the end, of the relays that
// carry the room which most listen to: Max/Mean is what one looks at.
type ZoneSpread struct {
	Zone   string `json:"zone"`
	Relays int    `json:"relays"`
	Spread
}

// Losses are frames, by what they were lost to.
type Losses struct {
	Hops     int64 `json:"hops"`     // a session ended or fell silent
	Starved  int64 `json:"starved"`  // the listener's relay had nothing to pass on
	Overload int64 `json:"overload"` // the relay had more to send than it can
}

// A Promise is one line of a scenario's expect.
type Promise struct {
	Name string `json:"name"` // the key in the scenario
	Text string `json:"text"` // for people
	Want string `json:"want"`
	Got  string `json:"got"`
	Kept bool   `json:"kept"`
}

// A Shortfall is what a scenario lacks: its listeners do not fit on its relays.
type Shortfall struct {
	Listeners int    `json:"listeners"` // that have no place
	Capacity  int    `json:"capacity"`  // places that there are
	Relays    int    `json:"relays"`    // more of the same that would do
	Limit     string `json:"limit"`     // of what there is too little
	Text      string `json:"text"`
}

// Joins are how newcomers fared.
type Joins struct {
	Arrived    int   `json:"arrived"`
	Admitted   int   `json:"admitted"` // who heard something at least once
	Gone       int   `json:"gone"`     // who left, those who were shown an error included
	Failed     int   `json:"failed"`   // who were shown an error
	Lobby      int64 `json:"lobby_answers"`
	Waits      int64 `json:"told_to_wait"` // answers that were a waiting time
	Refused    int64 `json:"refused"`      // handshakes that were not begun
	Full       int64 `json:"full"`         // sessions that found no place
	Unanswered int64 `json:"unanswered"`   // dials at relays that were not there

	// FirstAudio is from coming until the first packet.
	FirstAudio Times `json:"first_audio_ms"`
	// AllInMS is when the last of those who came was let in, counted from the last
	// capacity that was added, or from the beginning; -1 if some never were.
	AllInMS int64 `json:"all_in_ms"`
}

// Times are quantiles in milliseconds.
type Times struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// Hops are the hops of one cause, and how long they took.
type Hops struct {
	Cause string `json:"cause"`
	Count int    `json:"count"`
	Took  Times  `json:"took_ms"`
	Bins  []Bin  `json:"bins"`
}

// A Bin is how many there were in a range of times: up to UpTo, from where the one
// before ends.
type Bin struct {
	UpTo  int64 `json:"up_to_ms"`
	Count int   `json:"count"`
}

// Gaps are the longest gaps that listeners have heard.
type Gaps struct {
	// Who is "struck" for those whose relay has died, frozen, been drained or been
	// cut off, else "others".
	Who       string `json:"who"`
	Listeners int    `json:"listeners"`
	Hurt      int    `json:"hurt"` // who lost at least a frame
	Lost      int64  `json:"lost"`
	Gap       Times  `json:"gap_ms"` // over all of them, those without a gap included
	Bins      []Bin  `json:"bins"`   // of those who were hurt
}

// Speakers are how those who speak fared.
type Speakers struct {
	Speakers int   `json:"speakers"`
	Hops     int   `json:"hops"`
	OutMS    int64 `json:"out_ms"` // for how long one was published nowhere, at the longest
	Refused  int   `json:"refused"`
}

// A Happening is something that the scenario did.
type Happening struct {
	AtMS       int64  `json:"at_ms"`
	What       string `json:"what"`
	Relays     int    `json:"relays"`
	Listeners  int    `json:"listeners"`   // that were at these relays
	ConvergeMS int64  `json:"converge_ms"` // until the trees were whole again; -1: they were not

	// From then until the next one, or the end: frames lost, hops and how long they
	// took, who is with another relay at the end of that, and how many listeners the
	// relay with the most then has over the mean of those that have any.
	Lost   int64   `json:"lost"`
	Hops   int     `json:"hops"`
	Took   Times   `json:"took_ms"`
	Moved  int     `json:"moved"`
	Spread float64 `json:"load_spread"`
}

// A Series is how things went, one value for each time.
type Series struct {
	EveryMS   int64       `json:"every_ms"`
	T         []int64     `json:"t_ms"`
	Arrived   []int64     `json:"arrived"`      // until then
	Listening []int64     `json:"listening"`    // now
	Waiting   []int64     `json:"waiting"`      // now: they came, and hear nothing yet or no more
	Told      []int64     `json:"told_to_wait"` // until then
	Refused   []int64     `json:"refused"`      // until then
	Lost      []int64     `json:"lost"`         // until then
	Hops      []int64     `json:"hops"`         // until then
	Relays    []int64     `json:"relays"`       // that serve, now
	Zones     []ZoneLoads `json:"zones"`
}

// ZoneLoads are the loads of one zone's relays.
type ZoneLoads struct {
	Zone   string   `json:"zone"`
	Relays []string `json:"relays"`
	// Load is in percent, 0 to 150, for each relay and each time of the series; -1
	// where the relay was not there. So Load[r][s] belongs to Relays[r] and T[s].
	Load [][]int16 `json:"load"`
}

// A Tree is who feeds whom in one room, and how busy each is.
type Tree struct {
	AtMS  int64      `json:"at_ms"`
	Room  string     `json:"room"`
	Nodes []TreeNode `json:"nodes"`
}

// A TreeNode is a relay of a room. An empty parent is that of a root.
type TreeNode struct {
	Relay string  `json:"relay"`
	Zone  string  `json:"zone"`
	Red   string  `json:"red"`
	Blue  string  `json:"blue"`
	Depth int     `json:"depth"` // from the farther root
	Load  float64 `json:"load"`  // percent

	// Listeners are those that hear the room here, Standbys whoever stands by here.
	Listeners int `json:"listeners"`
	Standbys  int `json:"standbys"`
}

// A Constant is a figure that a run was made with.
type Constant struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Source string  `json:"source"`
}

// Counts say how much work the run was.
type Counts struct {
	Events  int64 `json:"events"`
	Steps   int64 `json:"machine_steps"`
	Woken   int64 `json:"machines_woken"`
	Plans   int64 `json:"plans"`
	Moves   int64 `json:"parents_changed"`
	Placed  int64 `json:"placements"`
	Checked int64 `json:"invariants_checked"`
}
