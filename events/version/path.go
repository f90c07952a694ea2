package version

// Path is the chain of choices from the current version to q.To or, if nothing is asked for, to the
// newest version that can be reached. Each answer starts from the version that the one before chose.
//
// All answers but the last are upgrades. The last one is an upgrade too if q.To was reached; else it
// says why the way ends there. If q.To is refused at once, or is a downgrade, that is the only answer.
// The chain always ends, because every hop is newer than the one before.
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

// hop is the next choice on the way to target. It asks for the target itself in two cases: the policy
// would go past the target, or the policy chooses nothing although the target is at most one minor
// version away.
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
