#include "core/analysis/repeating_pattern.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <ranges>
#include <unordered_map>

namespace gapscope {

namespace {

constexpr size_t kFewestStretches = 3;     // alike, or nothing repeats
constexpr size_t kFewestAbove = 2;         // of what regular interruptions part
constexpr double kLeastAlikeShare = 0.75;  // of a symbol's stretches, by number
constexpr double kLeastOfSpan = 0.5;       // of the symbols between its first and last, by symbols
constexpr double kLeastOfAll = 0.3;        // of the whole sequence
constexpr size_t kMostKinds = 256;         // of stretches looked at symbol by symbol
constexpr double kLeastRegular = 0.7;      // of the distances between what interrupts, that are the usual one
constexpr size_t kMostOthers = 8;          // that interrupt, a unit
constexpr int kMostLevels = 4;

// Hashes of any stretch from hashes of all prefixes, modulo a Mersenne prime.
class PrefixHashes {
public:
    explicit PrefixHashes(std::span<const uint32_t> symbols)
        : m_prefix(symbols.size() + 1), m_power(symbols.size() + 1) {
        m_power[0] = 1;
        for (size_t i = 0; i < symbols.size(); ++i) {
            m_prefix[i + 1] = (times(m_prefix[i], kBase) + symbols[i] + 1) % kPrime;
            m_power[i + 1] = times(m_power[i], kBase);
        }
    }
    uint64_t of(PatternUnit unit) const {
        return (m_prefix[unit.end] + kPrime - times(m_prefix[unit.begin], m_power[unit.end - unit.begin])) % kPrime;
    }

private:
    static constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
    static constexpr uint64_t kBase = 0x1234567890ABCDEull;
    static uint64_t times(uint64_t a, uint64_t b) {
        const auto product = static_cast<unsigned __int128>(a) * b;
        const uint64_t folded = static_cast<uint64_t>(product & kPrime) + static_cast<uint64_t>(product >> 61);
        return folded >= kPrime ? folded - kPrime : folded;
    }
    std::vector<uint64_t> m_prefix, m_power;
};

// The stretches that the occurrences of one symbol part, and which of them are alike.
struct Cut {
    std::vector<uint32_t> at;    // places, ascending: stretch i lies from at[i] to at[i + 1]
    std::vector<uint8_t> alike;  // by stretch
    uint32_t length = 0;         // of the typical stretch
    uint32_t typical = 0;        // one of its kind
    uint64_t alikeSymbols = 0;
    double similarity = 0;          // of alike stretches to the typical one, by symbols
    uint32_t interruptedEvery = 0;  // stretches until what interrupts comes again; 0: nothing does, or not regularly
    std::vector<uint32_t> others;   // stretches that interrupt regularly
    size_t othersPerUnit = 0;
    PatternUnit stretch(size_t i) const { return {at[i], at[i + 1]}; }
};

class Finder {
public:
    Finder(std::span<const uint32_t> symbols, uint32_t symbolCount, const PatternHints& hints)
        : m_symbols(symbols), m_hints(hints), m_hashes(symbols), m_counts(symbolCount) {}

    RepeatingPattern find(std::stop_token stop) {
        RepeatingPattern pattern;
        std::vector<Cut> cuts = cutsOfSymbols(stop);
        if (cuts.empty() || stop.stop_requested()) return pattern;
        std::vector<const Cut*> levels{&finest(cuts)};
        std::deque<Cut> made;  // that no symbol stands for
        while (levels.size() < kMostLevels && levels.back()->interruptedEvery > 0 && !isOfUnit(*levels.back())) {
            if (levels.size() > 1 && m_hints.ofUnit.empty()) break;  // nothing tells a step from greater things
            const Cut* above = levelAbove(*levels.back(), cuts, made);
            if (!above) break;
            levels.push_back(above);
        }
        if (!m_hints.ofUnit.empty() && !isOfUnit(*levels.back())) {
            // What repeats is not the unit, though it is known that there are some: few of them.
            const Cut* above = cutOfMark(levels.back()->length, made);
            if (!above) return pattern;
            levels.push_back(above);
        }
        const Cut& unit = *levels.back();
        const Cut* inner = levels.size() > 1 ? levels.front() : nullptr;
        place(unit, inner, pattern);
        return pattern;
    }

private:
    std::vector<Cut> cutsOfSymbols(std::stop_token stop) {
        const size_t n = m_symbols.size();
        std::vector<uint32_t> first(m_counts.size() + 1);
        for (const uint32_t symbol : m_symbols)
            ++first[symbol + 1];
        for (size_t i = 1; i < first.size(); ++i)
            first[i] += first[i - 1];
        std::vector<uint32_t> places(n);
        std::vector<uint32_t> next(first.begin(), first.end() - 1);
        for (uint32_t i = 0; i < n; ++i)
            places[next[m_symbols[i]]++] = i;
        std::vector<Cut> cuts;
        for (size_t symbol = 0; symbol + 1 < first.size(); ++symbol) {
            if (stop.stop_requested()) return {};
            const size_t count = first[symbol + 1] - first[symbol];
            if (count <= kFewestStretches || count > n / 2) continue;
            Cut cut{.at = {places.begin() + first[symbol], places.begin() + first[symbol + 1]}};
            if (judge(cut)) cuts.push_back(std::move(cut));
        }
        return cuts;
    }

    // Fills in what the stretches have in common; false: too little.
    bool judge(Cut& cut, size_t fewest = kFewestStretches) {
        struct Kind {
            uint64_t symbols = 0;
            uint32_t example = 0;
            double similarity = -1;
        };
        std::unordered_map<uint64_t, Kind> kinds;
        const size_t count = cut.at.size() - 1;
        std::vector<uint64_t> hashes(count);
        for (uint32_t i = 0; i < count; ++i) {
            hashes[i] = m_hashes.of(cut.stretch(i));
            const auto [it, isNew] = kinds.try_emplace(hashes[i]);
            if (isNew) it->second.example = i;
            it->second.symbols += cut.stretch(i).end - cut.stretch(i).begin;
        }
        const Kind* typical = nullptr;
        for (const auto& [hash, kind] : kinds) {
            const bool more = !typical || kind.symbols > typical->symbols ||
                              (kind.symbols == typical->symbols && kind.example < typical->example);
            if (more) typical = &kind;
        }
        cut.typical = typical->example;
        cut.length = lengthOf(cut.stretch(cut.typical));
        cut.alike.assign(count, 0);
        size_t looked = 0, alike = 0;
        double similar = 0;
        for (size_t i = 0; i < count; ++i) {
            Kind& kind = kinds.at(hashes[i]);
            if (kind.similarity < 0)
                kind.similarity =
                    looked < kMostKinds ? similarity(cut.stretch(cut.typical), cut.stretch(i), looked) : 0;
            if (kind.similarity < kAlike) continue;
            cut.alike[i] = 1;
            ++alike;
            const uint32_t length = lengthOf(cut.stretch(i));
            cut.alikeSymbols += length;
            similar += kind.similarity * length;
        }
        if (alike < fewest) return false;
        cut.similarity = similar / static_cast<double>(cut.alikeSymbols);
        const auto inShare = [&](double least, uint64_t of) {
            return static_cast<double>(cut.alikeSymbols) >= least * static_cast<double>(of);
        };
        if (!inShare(kLeastOfSpan, cut.at.back() - cut.at.front()) || !inShare(kLeastOfAll, m_symbols.size()))
            return false;
        // What comes before the first and after the last alike stretch does not interrupt.
        const size_t from = static_cast<size_t>(std::ranges::find(cut.alike, 1) - cut.alike.begin());
        size_t to = count;
        while (cut.alike[to - 1] == 0)
            --to;
        if (static_cast<double>(alike) < kLeastAlikeShare * static_cast<double>(to - from)) return false;
        std::vector<uint32_t> others;
        for (size_t i = from; i < to; ++i)
            if (!cut.alike[i]) others.push_back(static_cast<uint32_t>(i));
        findRegular(others, cut);
        return true;
    }

    // What interrupts may be several things a unit (layers of another kind, and the head): it is regular if each comes
    // again after so many more.
    static void findRegular(const std::vector<uint32_t>& others, Cut& cut) {
        double best = kLeastRegular;
        for (size_t a = 1; a <= kMostOthers && a < others.size(); ++a) {
            std::vector<uint32_t> distances;
            for (size_t i = 0; i + a < others.size(); ++i)
                distances.push_back(others[i + a] - others[i]);
            std::vector<uint32_t> sorted = distances;
            std::ranges::nth_element(sorted, sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2));
            const uint32_t usual = sorted[sorted.size() / 2];
            const double share =
                static_cast<double>(std::ranges::count(distances, usual)) / static_cast<double>(distances.size());
            // Two of a kind are no rule.
            if (usual < 3 || usual <= a || distances.size() < 2 || share < best + (a > 1 ? 0.02 : 0)) continue;
            best = share;
            cut.interruptedEvery = usual;
            cut.others = others;
            cut.othersPerUnit = a;
        }
    }

    static uint32_t lengthOf(PatternUnit unit) { return unit.end - unit.begin; }

    // The share of symbols in common, whatever their order. `looked` counts those that had to be looked at.
    double similarity(PatternUnit a, PatternUnit b, size_t& looked) {
        const uint32_t longer = std::max(lengthOf(a), lengthOf(b)), shorter = std::min(lengthOf(a), lengthOf(b));
        if (longer == 0 || static_cast<double>(shorter) < kAlike * static_cast<double>(longer)) return 0;
        if (m_hashes.of(a) == m_hashes.of(b)) return 1;
        ++looked;
        uint32_t common = 0;
        for (uint32_t i = a.begin; i < a.end; ++i)
            ++m_counts[m_symbols[i]];
        for (uint32_t i = b.begin; i < b.end; ++i)
            if (m_counts[m_symbols[i]] > 0) --m_counts[m_symbols[i]], ++common;
        for (uint32_t i = a.begin; i < a.end; ++i)
            m_counts[m_symbols[i]] = 0;
        return static_cast<double>(common) / static_cast<double>(longer);
    }

    // Of several symbols with one length one that occurs as often as most: others also occur outside of what repeats,
    // or not in the first of a run.
    static const Cut& finest(const std::vector<Cut>& cuts) {
        const uint32_t length = std::ranges::min_element(cuts, {}, &Cut::length)->length;
        uint64_t most = 0;
        for (const Cut& cut : cuts)
            if (cut.length == length) most = std::max(most, cut.alikeSymbols);
        std::map<size_t, std::vector<const Cut*>> byCount;
        for (const Cut& cut : cuts)
            if (cut.length == length && cut.alikeSymbols >= most - most / 10) byCount[cut.at.size()].push_back(&cut);
        return *std::ranges::max_element(byCount, {}, [](const auto& of) { return of.second.size(); })->second.front();
    }

    bool isOfUnit(const Cut& cut) const {
        if (m_hints.ofUnit.empty()) return false;
        const PatternUnit stretch = cut.stretch(cut.typical);
        for (uint32_t i = stretch.begin; i < stretch.end; ++i)
            if (m_hints.ofUnit[m_symbols[i]]) return true;
        return false;
    }

    // What a symbol that belongs to units as a whole parts.
    const Cut* cutOfMark(uint32_t longerThan, std::deque<Cut>& made) {
        std::map<uint32_t, std::vector<uint32_t>> places;
        for (uint32_t i = 0; i < m_symbols.size(); ++i)
            if (m_hints.ofUnit[m_symbols[i]]) places[m_symbols[i]].push_back(i);
        const Cut* best = nullptr;
        for (auto& [symbol, at] : places) {
            Cut cut;
            cut.at = std::move(at);
            if (cut.at.size() <= kFewestAbove || !judge(cut, kFewestAbove) || cut.length <= longerThan) continue;
            made.push_back(std::move(cut));
            if (!best || made.back().alikeSymbols > best->alikeSymbols) best = &made.back();
        }
        return best;
    }

    // What the regular interruptions of a level part.
    const Cut* levelAbove(const Cut& level, const std::vector<Cut>& cuts, std::deque<Cut>& made) {
        std::vector<uint32_t> lengths;
        for (size_t i = 0; i + level.othersPerUnit < level.others.size(); ++i)
            lengths.push_back(level.at[level.others[i + level.othersPerUnit]] - level.at[level.others[i]]);
        std::ranges::nth_element(lengths, lengths.begin() + static_cast<ptrdiff_t>(lengths.size() / 2));
        const double length = lengths[lengths.size() / 2];
        const Cut* best = nullptr;
        const auto take = [&](const Cut& cut) {
            const bool fits = std::abs(cut.length - length) <= std::max(2.0, 0.03 * length);
            if (fits && (!best || cut.alikeSymbols > best->alikeSymbols)) best = &cut;
        };
        for (const Cut& cut : cuts)
            take(cut);
        if (best) return best;
        // No symbol occurs once a unit: one kind of what interrupts does.
        std::map<uint64_t, std::vector<uint32_t>> kinds;
        for (const uint32_t i : level.others)
            kinds[m_hashes.of(level.stretch(i))].push_back(level.at[i]);
        for (auto& [hash, at] : kinds) {
            Cut cut;
            cut.at = std::move(at);
            if (cut.at.size() <= kFewestAbove || !judge(cut, kFewestAbove)) continue;
            made.push_back(std::move(cut));
            take(made.back());
        }
        return best;
    }

    // Where in the typical stretch the unit begins: after the longest wait, else with what is known to begin it. With
    // inner units only between them.
    uint32_t rotation(const Cut& unit, const Cut* inner) const {
        const PatternUnit typical = unit.stretch(unit.typical);
        const uint64_t hash = m_hashes.of(typical);
        std::vector<uint8_t> allowed(unit.length, 1);
        if (inner) {
            const uint32_t before = extentBefore(*inner);
            for (size_t i = 0; i < inner->at.size(); ++i) {
                const bool follows = i > 0 && inner->alike[i - 1];  // another inner unit
                if (!follows && (i >= inner->alike.size() || !inner->alike[i])) continue;
                const uint32_t begin = inner->at[i] - std::min(before, inner->at[i]);
                for (uint32_t place = begin + (follows ? 0 : 1); place < begin + inner->length; ++place)
                    if (place >= typical.begin && place < typical.end) allowed[place - typical.begin] = 0;
            }
        }
        std::vector<int64_t> waits(unit.length, -1);
        if (!m_hints.idleBeforeNs.empty()) {
            std::vector<uint32_t> same;
            for (uint32_t i = 0; i < unit.alike.size() && same.size() < 101; ++i)
                if (lengthOf(unit.stretch(i)) == unit.length && m_hashes.of(unit.stretch(i)) == hash)
                    same.push_back(unit.at[i]);
            std::vector<int64_t> values(same.size());
            for (uint32_t offset = 0; offset < unit.length; ++offset) {
                if (!allowed[offset]) continue;
                for (size_t i = 0; i < same.size(); ++i)
                    values[i] = m_hints.idleBeforeNs[same[i] + offset];
                std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(values.size() / 2));
                waits[offset] = values[values.size() / 2];
            }
        }
        uint32_t longest = 0;
        int64_t second = -1;
        for (uint32_t offset = 1; offset < unit.length; ++offset) {
            if (!allowed[offset]) continue;
            if (!allowed[longest] || waits[offset] > waits[longest]) {
                second = allowed[longest] ? std::max(second, waits[longest]) : second;
                longest = offset;
            } else {
                second = std::max(second, waits[offset]);
            }
        }
        if (waits[longest] > 0 && waits[longest] >= 2 * second) return longest;
        if (!m_hints.beginsUnit.empty())
            for (uint32_t offset = 0; offset < unit.length; ++offset)
                if (allowed[offset] && m_hints.beginsUnit[m_symbols[typical.begin + offset]]) return offset;
        return longest;
    }

    // How far an inner unit reaches before its anchor: as far back as the first of a run of inner units is as the
    // second.
    uint32_t extentBefore(const Cut& inner) const {
        uint32_t before = 0;
        for (size_t i = 0; i + 1 < inner.alike.size(); ++i) {
            const bool runBegins = inner.alike[i] && inner.alike[i + 1] && (i == 0 || !inner.alike[i - 1]);
            if (!runBegins) continue;
            const uint32_t first = inner.at[i], second = inner.at[i + 1];
            before = 0;
            while (before < first && before + 1 < inner.length &&
                   m_symbols[first - before - 1] == m_symbols[second - before - 1])
                ++before;
            if (i > 0) break;  // the sequence may begin within a run
        }
        return before;
    }

    void place(const Cut& unit, const Cut* inner, RepeatingPattern& pattern) {
        const auto n = static_cast<uint32_t>(m_symbols.size());
        const uint32_t offset = rotation(unit, inner);
        const PatternUnit typical{unit.at[unit.typical] + offset,
                                  std::min(n, unit.at[unit.typical] + offset + unit.length)};
        std::vector<uint32_t> at;
        for (const uint32_t place : unit.at)
            if (place + offset < n) at.push_back(nearestBegin(typical, place + offset));
        at.erase(std::ranges::unique(at).begin(), at.end());
        // The last ends without another anchor.
        if (!at.empty()) at.push_back(std::min(n, at.back() + unit.length));
        pattern.unit.length = unit.length;
        for (size_t i = 0; i + 1 < at.size(); ++i)
            if (fits(typical, {at[i], at[i + 1]})) pattern.unit.units.push_back({at[i], at[i + 1]});
        if (pattern.unit.units.size() < (inner ? kFewestAbove : kFewestStretches)) {
            pattern = {};
            return;
        }
        fitEnds(typical, pattern.unit.units);
        double similar = 0;
        for (const PatternUnit& stretch : pattern.unit.units) {
            size_t ignored = 0;
            similar += similarity(typical, stretch, ignored) * lengthOf(stretch);
        }
        const double span = pattern.unit.units.back().end - pattern.unit.units.front().begin;
        pattern.unit.confidence =
            std::min(0.99, similar / span * (1 - std::exp2(1.0 - static_cast<double>(pattern.unit.units.size()))));
        if (inner) placeInner(*inner, pattern);
    }

    // Between the anchor and the unit's begin there may be a symbol more or less: what the unit begins with tells.
    uint32_t nearestBegin(PatternUnit typical, uint32_t expected) const {
        const uint32_t farthest = std::max<uint32_t>(2, lengthOf(typical) / 10);
        for (uint32_t away = 0; away <= farthest; ++away) {
            if (beginsLike(typical, expected + away)) return expected + away;
            if (away <= expected && beginsLike(typical, expected - away)) return expected - away;
        }
        return expected;
    }
    bool beginsLike(PatternUnit typical, uint32_t place) const {
        const uint32_t context = std::min<uint32_t>(4, lengthOf(typical));
        return place + context <= m_symbols.size() &&
               std::equal(m_symbols.begin() + place, m_symbols.begin() + place + context,
                          m_symbols.begin() + typical.begin);
    }

    // A unit may have taken in some of what lies before or behind it. One of those that occur more than once then fits
    // exactly.
    void fitEnds(PatternUnit typical, std::vector<PatternUnit>& units) {
        std::map<std::pair<uint32_t, uint64_t>, uint32_t> kinds;
        for (const PatternUnit& unit : units)
            ++kinds[{lengthOf(unit), m_hashes.of(unit)}];
        std::erase_if(kinds, [](const auto& kind) { return kind.second < 2; });
        const auto isKnown = [&](PatternUnit unit) { return kinds.contains({lengthOf(unit), m_hashes.of(unit)}); };
        // The known unit that ends at a place and begins at `least` or later; or begins there and ends by `most`.
        const auto endingAt = [&](uint32_t end, uint32_t least) -> std::optional<PatternUnit> {
            for (const auto& [kind, count] : kinds)
                if (kind.first + least <= end && m_hashes.of({end - kind.first, end}) == kind.second)
                    return PatternUnit{end - kind.first, end};
            return std::nullopt;
        };
        const auto beginningAt = [&](uint32_t begin, uint32_t most) -> std::optional<PatternUnit> {
            for (const auto& [kind, count] : std::views::reverse(kinds))  // the longest
                if (begin + kind.first <= most && m_hashes.of({begin, begin + kind.first}) == kind.second)
                    return PatternUnit{begin, begin + kind.first};
            return std::nullopt;
        };
        // One that is like them, of about their length, and begins as they do.
        const auto aboutEndingAt = [&](uint32_t end, uint32_t least) -> std::optional<PatternUnit> {
            if (end < least + lengthOf(typical)) return std::nullopt;
            const PatternUnit unit{std::max(least, nearestBegin(typical, end - lengthOf(typical))), end};
            return beginsLike(typical, unit.begin) && fits(typical, unit) ? std::optional(unit) : std::nullopt;
        };
        const auto before = [&](uint32_t end, uint32_t least) {
            const auto known = endingAt(end, least);
            return known ? known : aboutEndingAt(end, least);
        };
        std::vector<PatternUnit> fitted;
        for (size_t i = 0; i < units.size(); ++i) {
            const uint32_t least = i > 0 ? fitted.back().end : 0;
            const uint32_t most = i + 1 < units.size() ? units[i + 1].begin : static_cast<uint32_t>(m_symbols.size());
            PatternUnit unit = units[i];
            if (least < unit.begin && !isKnown(unit)) unit = before(unit.end, least).value_or(unit);
            const size_t place = fitted.size();
            for (auto other = before(unit.begin, least); other; other = before(other->begin, least))
                fitted.insert(fitted.begin() + static_cast<ptrdiff_t>(place), *other);
            if (!isKnown(unit)) unit = beginningAt(unit.begin, most).value_or(unit);
            fitted.push_back(unit);
            if (unit.end == most) continue;
            for (auto after = beginningAt(unit.end, most); after; after = beginningAt(after->end, most))
                fitted.push_back(*after);
        }
        units = std::move(fitted);
    }

    void placeInner(const Cut& inner, RepeatingPattern& pattern) {
        const uint32_t before = extentBefore(inner);
        std::unordered_map<uint32_t, uint32_t> unitsWith;
        std::vector<uint32_t> counts;
        size_t next = 0;
        pattern.inner.length = inner.length;
        for (const PatternUnit& unit : pattern.unit.units) {
            while (next < inner.at.size() && inner.at[next] < unit.begin)
                ++next;
            uint32_t count = 0;
            for (; next < inner.at.size() && inner.at[next] < unit.end; ++next, ++count) {
                const uint32_t begin = std::max(unit.begin, inner.at[next] - std::min(before, inner.at[next]));
                const bool another = next + 1 < inner.at.size() && inner.at[next + 1] < unit.end;
                const uint32_t end = another ? inner.at[next + 1] - before : std::min(unit.end, begin + inner.length);
                pattern.inner.units.push_back({begin, end});
            }
            counts.push_back(count);
            ++unitsWith[count];
        }
        uint32_t most = 0;
        for (const auto& [count, units] : unitsWith)
            if (units > most || (units == most && count > pattern.innersPerUnit))
                most = units, pattern.innersPerUnit = count;
        pattern.inner.confidence =
            pattern.unit.confidence * inner.similarity * static_cast<double>(most) / static_cast<double>(counts.size());
    }

    bool fits(PatternUnit typical, PatternUnit stretch) {
        size_t ignored = 0;
        return similarity(typical, stretch, ignored) >= kAlike;
    }

    std::span<const uint32_t> m_symbols;
    const PatternHints& m_hints;
    PrefixHashes m_hashes;
    std::vector<uint32_t> m_counts;  // by symbol, all 0 between uses
};

}  // namespace

RepeatingPattern findPattern(std::span<const uint32_t> symbols, uint32_t symbolCount, const PatternHints& hints,
                             std::stop_token stop) {
    if (symbols.size() <= kFewestStretches) return {};
    return Finder(symbols, symbolCount, hints).find(stop);
}

}  // namespace gapscope
