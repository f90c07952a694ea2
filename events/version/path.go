package version

// Path is the chain of choices from the current version to the newest reachable one, or
// to q.To: each answer is judged from the version before it, and all but the last are
// upgrades. The last is an upgrade if q.To was reached, else it says why the way ends. A
// target that is refused at once, or is a downgrade, is the only answer. The chain
// always ends: every hop is newer than the one before.
func Path(q Question) []Answer {
	target := q.To
	if !target.IsZero() {
		a := Choose(q)
		direct := a.Outcome == OutcomeUpgrade && !a.Downgrade
		if !direct && a.Code != CodeBehindFloor {
			return []Answer{a}
		}
	}
	var hops []Answer
	for range len(q.Candidates) + 1 {
		a := hop(q, target)
		hops = append(hops, a)
		if a.Outcome != OutcomeUpgrade || a.Chosen == target {
			break
		}
		q.Current = a.Chosen
	}
	return hops
}

// hop is the next choice on the way to target. Where the policy leads past the target,
// or does not go on although no minor version is skipped, the target itself is asked for.
func hop(q Question, target Number) Answer {
	q.To = Number{}
	a := Choose(q)
	if target.IsZero() {
		return a
	}
	past := a.Outcome == OutcomeUpgrade && a.Chosen.Compare(target) > 0
	near := a.Outcome == OutcomeNoUpgrade && target.Major == q.Current.Major && target.Minor <= q.Current.Minor+1
	if !past && !near {
		return a
	}
	q.To = target
	return Choose(q)
}
