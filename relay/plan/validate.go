package plan

import "fmt"

// Validate says what is wrong with a plan: ErrName, ErrDegree, ErrTooBig,
// ErrTwice, ErrRoots or ErrDeep. A plan made by this package is never wrong, and
// Decode lets no other in; it is exported for consistency checks.
func (p *Plan) Validate() error {
	if err := p.check(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return nil
}

func (p *Plan) check() error {
	if p.degree < MinDegree || p.degree > MaxDegree {
		return fmt.Errorf("%w: %d", ErrDegree, p.degree)
	}
	if err := checkName(p.room); err != nil {
		return fmt.Errorf("room: %w", err)
	}
	if err := checkName(p.version.Keeper); err != nil {
		return fmt.Errorf("keeper: %w", err)
	}
	if err := p.checkNames(); err != nil {
		return err
	}
	// Both trees need a root of their own. A single relay is the one exception.
	if p.size > 1 && p.root(Red) == p.root(Blue) {
		return fmt.Errorf("%w: %q has both trees", ErrRoots, p.Root(Red))
	}
	if d := p.Depth(); d > MaxDepth {
		return fmt.Errorf("%w: %d hops", ErrDeep, d)
	}
	return nil
}

// checkNames looks for names that are none, and for a name that stands twice:
// the one way in which an array can say a loop.
func (p *Plan) checkNames() error {
	if p.size > MaxRelays {
		return fmt.Errorf("%w: %d relays", ErrTooBig, p.size)
	}
	if len(p.zones) == 0 || p.apart && len(p.zones) == 1 {
		return fmt.Errorf("%w: %d zones", ErrRoots, len(p.zones))
	}
	zones := make(map[string]bool, len(p.zones))
	relays := make(map[string]bool, p.size)
	for _, z := range p.zones {
		if err := checkZone(z.name); err != nil {
			return fmt.Errorf("zone: %w", err)
		}
		if zones[z.name] {
			return fmt.Errorf("zone: %w: %q", ErrTwice, z.name)
		}
		if len(z.relays) == 0 {
			return fmt.Errorf("zone: %w: %q is empty", ErrMalformed, z.name)
		}
		zones[z.name] = true
		for _, name := range z.relays {
			if err := checkName(name); err != nil {
				return fmt.Errorf("relay: %w", err)
			}
			if relays[name] {
				return fmt.Errorf("relay: %w: %q", ErrTwice, name)
			}
			relays[name] = true
		}
	}
	return nil
}
