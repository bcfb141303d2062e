// Two windows side by side: worked out by hand, and what must hold whatever the traces are.
#include "core/analysis/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/analysis/token_phases.h"
#include "core/analysis/window.h"
#include "tests/core/analysis/hand_made_runs.h"
#include "tests/core/testing/random_trace.h"

namespace gapscope {

namespace {

double differenceOf(const Comparison& comparison, std::string_view name) {
    const FigureDelta* figure = comparison.find(name);
    EXPECT_NE(figure, nullptr) << name;
    return figure ? figure->difference().value_or(NAN) : NAN;
}

const KernelDelta& kernelOf(const Comparison& comparison, std::string_view name) {
    static const KernelDelta kNone;
    for (const KernelDelta& kernel : comparison.kernels)
        if (kernel.name == name) return kernel;
    ADD_FAILURE() << "no kernel " << name;
    return kNone;
}

struct Prepared {
    TracePtr trace;
    PreparedTrace prepared;
    explicit Prepared(const TraceBuilder& builder) : trace(builder.snapshot()), prepared(trace) {}
    PreparedWindow window() const { return {prepared, defaultWindow(*trace)}; }
    PreparedWindow window(std::string_view text) const { return {prepared, resolveWindow(*trace, text).value()}; }
};

// Another program's trace whose ranges name its steps, a kernel each. Not inlined: GCC 12 then sees a pointer that
// dangles.
[[gnu::noinline]] Builder namedSteps(uint32_t steps, int64_t stepNs, bool prompt) {
    Builder b;
    if (prompt) {
        b.range(0, 100, "prefill");
        b.call(10, 20, "cudaLaunchKernel", 1);
        b.kernel(30, 120, 1);
    }
    for (uint32_t step = 0; step < steps; ++step) {
        const int64_t at = 200 + step * stepNs;
        b.range(at, at + 50, ("decode step " + std::to_string(step)).c_str());
        b.call(at + 5, at + 10, "cudaLaunchKernel", 10 + step);
        b.kernel(at + 20, at + 40, 10 + step);
    }
    return b;
}

}  // namespace

TEST(Compare, WorkedOutByHand) {
    const Prepared before(eagerRun()), after(fusedRun());
    const Comparison comparison = compare(before.window(), after.window());
    EXPECT_EQ(differenceOf(comparison, "windowNs"), 2100 - 3100);
    EXPECT_EQ(differenceOf(comparison, "gpuBusyNs"), 1500 - 1600);
    EXPECT_EQ(differenceOf(comparison, "gpuIdleNs"), 600 - 1500);
    // Launch calls under gaps. Before: 50 of the prompt's, and 100 in each of the four gaps that a launch ended.
    EXPECT_EQ(differenceOf(comparison, "gapCauseNs.launchCall"), (50 + 2 * 100) - (50 + 4 * 100));
    EXPECT_EQ(differenceOf(comparison, "gapCauseNs.deviceLatency"), (50 + 2 * 50) - (50 + 4 * 50));
    EXPECT_EQ(differenceOf(comparison, "launchCount"), 3 - 5);
    EXPECT_EQ(differenceOf(comparison, "kernelCount"), 3 - 5);
    EXPECT_EQ(differenceOf(comparison, "categoryCount.gemm"), 3 - 5);
    EXPECT_EQ(differenceOf(comparison, "tokens.medNs"), (400 + 500) / 2.0 - (650 + 1000) / 2.0);
    EXPECT_EQ(differenceOf(comparison, "tokens.busyMedNs"), 250 - 300);
    EXPECT_EQ(differenceOf(comparison, "tokens.launchMedCount"), 1 - 2);
    EXPECT_EQ(differenceOf(comparison, "run.decodeNs"), 900 - 1650);
    EXPECT_EQ(differenceOf(comparison, "run.tokensPerSecond"), 2e9 / 900 - 2e9 / 1650);
    EXPECT_EQ(differenceOf(comparison, "floorNsPerToken"), 0);
    EXPECT_TRUE(std::isnan(differenceOf(comparison, "throughput.bytesPerSecond")));  // no op tells its bytes

    ASSERT_EQ(comparison.kernels.size(), 4u);
    EXPECT_EQ(comparison.kernels[0].name, "add_mul");  // 500 more
    EXPECT_EQ(kernelOf(comparison, "add_mul").presence(), Presence::New);
    EXPECT_EQ(kernelOf(comparison, "add_mul").after.totalNs, 500);
    EXPECT_EQ(kernelOf(comparison, "mul").presence(), Presence::Gone);
    EXPECT_EQ(kernelOf(comparison, "mul").differenceNs(), -400);
    EXPECT_EQ(kernelOf(comparison, "prompt").presence(), Presence::Both);
    EXPECT_EQ(kernelOf(comparison, "prompt").differenceNs(), 0);
    EXPECT_EQ(comparison.kernelCountOf(Presence::New), 1);
    EXPECT_EQ(comparison.kernelCountOf(Presence::Gone), 2);

    ASSERT_EQ(comparison.phases.size(), 2u);
    EXPECT_EQ(comparison.phases[0].name, "prefill");
    EXPECT_EQ(comparison.phases[0].before, (TimeRange{1000, 2000}));
    EXPECT_EQ(comparison.phases[1].name, "decode");
    EXPECT_EQ(comparison.phases[1].before, (TimeRange{2000, 3650}));
    EXPECT_EQ(comparison.phases[1].after, (TimeRange{2000, 2900}));
    const FigureDelta* decodeBusy = Comparison::findFigure(comparison.phases[1].figures, "gpuBusyNs");
    ASSERT_NE(decodeBusy, nullptr);
    EXPECT_EQ(decodeBusy->before, 600);
    EXPECT_EQ(decodeBusy->after, 500);

    ASSERT_EQ(comparison.tokens.size(), 4u);  // prompt, 0, 1, 2
    EXPECT_EQ(comparison.tokens[3].before->range, (TimeRange{2650, 3650}));
    EXPECT_EQ(comparison.tokens[3].after->range, (TimeRange{2400, 2900}));
    EXPECT_EQ(comparison.tokens[3].differenceNs(), -500);

    // Each gap's launch call is called by one name; 50 of the device's latency go with each.
    ASSERT_EQ(comparison.culprits.size(), 3u);
    const CulpritDelta& launching = comparison.culprits[1];
    EXPECT_EQ(comparison.culprits[0].name, "model_inference");
    EXPECT_EQ(launching.name, "launch call: cudaLaunchKernel");
    EXPECT_EQ(launching.before->idleNs, 450);
    EXPECT_EQ(launching.before->gapCount, 5);
    EXPECT_EQ(launching.after->idleNs, 250);
    EXPECT_EQ(launching.after->gapCount, 3);
    EXPECT_EQ(launching.after->longest, (TimeRange{2000, 2150}));
    EXPECT_EQ(launching.differenceNs(), -200);
    // HTA's classes: only the first call after the prompt did not begin after what was before had ended.
    const FigureDelta* hostWait = comparison.find("streamIdleNs.hostWait");
    ASSERT_NE(hostWait, nullptr);
    EXPECT_EQ(hostWait->before, 200 + 500 + 200);
    EXPECT_EQ(hostWait->after, 250);
    EXPECT_EQ(comparison.find("streamIdleNs.kernelWait")->before, 150);
    EXPECT_EQ(comparison.find("streamIdleCount.hostWait")->before, 3);

    // 825 -> 450 ns a token. Decoding before is 600 busy and 1050 idle, after 500 and 400, for two tokens.
    EXPECT_EQ(comparison.sentence.substr(0, 63), "A token takes 450 ns instead of 825 ns: 1.83 times as fast. Of ")
        << comparison.sentence;
    EXPECT_NE(comparison.sentence.find("idle (launch call) −100 ns"), std::string::npos) << comparison.sentence;
    EXPECT_NE(comparison.sentence.find("device busy −50 ns"), std::string::npos) << comparison.sentence;
    EXPECT_NE(comparison.sentence.find("1 kernel name is new, 2 are gone."), std::string::npos) << comparison.sentence;
}

// What was predicted of a run from the one before stands beside what it did.
TEST(Compare, PredictionBesideFact) {
    const Prepared before(eagerRun()), after(fusedRun());
    const Comparison comparison = compare(before.window(), after.window());
    const Prediction* fusedKernels = comparison.before.whatIf.find("fused");
    ASSERT_NE(fusedKernels, nullptr);
    EXPECT_EQ(comparison.find("whatIf.fused.tokenNs")->before, fusedKernels->predictedMedianNsPerToken);
    EXPECT_EQ(comparison.find("whatIf.fused.windowNs")->before, static_cast<double>(fusedKernels->predictedNs));
    EXPECT_EQ(comparison.find("whatIf.fused.windowNs")->after, std::nullopt);  // it is fused
    ASSERT_TRUE(comparison.prediction);
    EXPECT_EQ(comparison.prediction->name, "fused");
    EXPECT_EQ(comparison.prediction->figure, "tokens.medNs");
    EXPECT_EQ(comparison.prediction->predictedNs, fusedKernels->predictedMedianNsPerToken);
    EXPECT_EQ(comparison.prediction->measuredNs, 450);
    EXPECT_NEAR(comparison.prediction->error(), fusedKernels->predictedMedianNsPerToken / 450 - 1, 1e-12);
    EXPECT_NE(comparison.sentence.find("a token, measured are 450 ns: "), std::string::npos) << comparison.sentence;

    EXPECT_FALSE(compare(after.window(), before.window()).prediction);  // nothing predicts eager
    EXPECT_FALSE(compare(before.window(), before.window()).prediction);
    Builder elsewhere = fusedRun();
    elsewhere.setRun(RunInfo{.deviceName = "another", .mode = "fused", .repeatTimes = {{.newTokens = 3}}});
    EXPECT_FALSE(compare(before.window(), Prepared(elsewhere).window()).prediction);
}

// A step of two tokens and one of one: each of the two takes half of the first.
TEST(Compare, TokensOfOneStepShareIt) {
    Builder b;
    b.setRun(RunInfo{.mode = "fused", .speculation = "ngram", .repeatTimes = {{.newTokens = 4}}});
    b.call(900, 950, "cudaLaunchKernel", 1);
    b.kernel(1000, 2000, 1, kPrefillToken, "prompt");
    b.call(2000, 2010, "cudaLaunchKernel", 2);
    b.kernel(2100, 2601, 2, 1, "step");
    b.call(2700, 2710, "cudaLaunchKernel", 3);
    b.kernel(2800, 3001, 3, 3, "step");
    b.add(TokenRow{.emittedNs = 2050, .index = 0, .id = 0});
    b.add(TokenRow{.emittedNs = 2650, .index = 1, .id = 1, .drafted = 2, .accepted = 1, .place = 0});
    b.add(TokenRow{.emittedNs = 2660, .index = 2, .id = 2, .drafted = 2, .accepted = 1, .place = 1});
    b.add(TokenRow{.emittedNs = 3050, .index = 3, .id = 3});
    const Prepared run(b);
    const TokenTable table = tokenTable(run.window("1000:3100"));
    ASSERT_EQ(table.rows.size(), 5u);
    EXPECT_EQ(table.rows[2].range, (TimeRange{2000, 2601}));  // the step has its time
    EXPECT_EQ(table.rows[2].share.ns, 300);
    EXPECT_EQ(table.rows[3].share.ns, 301);
    EXPECT_EQ(table.rows[2].share.busyNs + table.rows[3].share.busyNs, 501);
    EXPECT_EQ(table.rows[3].share.idleNs, 50);
    EXPECT_EQ(table.rows[3].share.launches, 0.5);
    EXPECT_EQ(table.rows[4].share.ns, 400);
    const TokenPhases phases = tokenPhases(table);
    EXPECT_EQ(phases.percentiles.p50Ns, 301);
    EXPECT_EQ(phases.interToken.minNs, 300);
    const Comparison comparison = compare(run.window("1000:3100"), run.window("1000:3100"));
    EXPECT_EQ(comparison.find("tokens.medNs")->before, 301);
    EXPECT_EQ(comparison.find("tokens.launchMedCount")->before, 0.5);
    EXPECT_EQ(figureText(FigureUnit::Count, 1 / 3.0), "0.33");
    // A window that cuts the step takes none of its tokens as whole.
    EXPECT_EQ(compare(run.window("2100:3100"), run.window()).find("tokens.count")->before, 1);
}

// Other programs' traces: found steps are tokens, a prompt is prefill.
TEST(Compare, FoundStepsAreAligned) {
    const Prepared before(namedSteps(4, 100, true)), after(namedSteps(4, 80, true));
    const Comparison comparison = compare(before.window(), after.window());
    ASSERT_EQ(comparison.phases.size(), 2u);
    EXPECT_EQ(comparison.phases[0].before, (TimeRange{30, 120}));
    EXPECT_EQ(comparison.phases[1].before, (TimeRange{120, 540}));
    EXPECT_EQ(comparison.phases[1].after, (TimeRange{120, 480}));
    ASSERT_EQ(comparison.tokens.size(), 5u);
    EXPECT_EQ(comparison.tokens[3].before->range, (TimeRange{340, 440}));
    EXPECT_EQ(comparison.tokens[3].differenceNs(), -20);
    EXPECT_EQ(comparison.sentence.substr(0, 46), "A step takes 80 ns instead of 100 ns: 1.25 tim")
        << comparison.sentence;
    EXPECT_EQ(resolveWindow(*before.trace, "token:2").value(), (TimeRange{240, 340}));
    EXPECT_EQ(resolveWindow(*before.trace, "phase:decode").value(), (TimeRange{120, 540}));
    // Without a prompt the first step is decoding, too.
    const TracePtr bare = namedSteps(3, 100, false).snapshot();
    EXPECT_EQ(resolveWindow(*bare, "phase:decode").value(), (TimeRange{220, 440}));
    EXPECT_FALSE(resolveWindow(*bare, "phase:prefill").has_value());
}

TEST(Compare, RegressionIsWorseWhicheverWayIsBetter) {
    FigureDelta time{.unit = FigureUnit::Nanoseconds, .better = Better::Less, .before = 100, .after = 112.5};
    EXPECT_EQ(regressionPercent(time), 12.5);
    EXPECT_EQ(time.improved(), false);
    time.after = 50;
    EXPECT_EQ(regressionPercent(time), -50);
    EXPECT_EQ(time.improved(), true);
    FigureDelta rate{.unit = FigureUnit::TokensPerSecond, .better = Better::More, .before = 100, .after = 80};
    EXPECT_EQ(regressionPercent(rate), 20);
    EXPECT_EQ(rate.improved(), false);
    rate.before = 0;
    EXPECT_EQ(regressionPercent(rate), -INFINITY);
    time.before = 0;
    EXPECT_EQ(regressionPercent(time), INFINITY);
    time.after = 0;
    EXPECT_EQ(regressionPercent(time), 0);
    time.before.reset();
    EXPECT_EQ(regressionPercent(time), std::nullopt);
    const Prepared run(eagerRun());
    EXPECT_EQ(defaultRegressionFigure(compare(run.window(), run.window())), "tokens.medNs");
    EXPECT_EQ(defaultRegressionFigure(compare(run.window("900:1900"), run.window("900:1900"))), "windowNs");
}

TEST(Compare, TwoTokensOfOneRun) {
    const Prepared run(eagerRun());
    const Comparison comparison = compare(run.window("token:1"), run.window("token:2"));
    EXPECT_EQ(comparison.before.summary.window, (TimeRange{2000, 2650}));
    EXPECT_EQ(differenceOf(comparison, "windowNs"), 350);
    ASSERT_EQ(comparison.tokens.size(), 1u);  // no number is in both: the first with the first
    EXPECT_EQ(comparison.tokens[0].before->index, 1);
    EXPECT_EQ(comparison.tokens[0].after->index, 2);
    EXPECT_EQ(comparison.tokens[0].differenceNs(), 350);
    EXPECT_EQ(kernelOf(comparison, "mul").presence(), Presence::Both);
}

TEST(Compare, WindowsByTokenAndPhase) {
    const TracePtr trace = eagerRun().snapshot();
    EXPECT_EQ(resolveWindow(*trace, "token:1-2").value(), (TimeRange{2000, 3650}));
    EXPECT_EQ(resolveWindow(*trace, "phase:prefill").value(), (TimeRange{1000, 2000}));
    EXPECT_EQ(resolveWindow(*trace, "phase:decode").value(), (TimeRange{2000, 3650}));
    for (const char* wrong :
         {"token:0", "token:3", "token:2-1", "token:x", "token:-1", "token:", "phase:lunch", "token:1-"}) {
        const auto window = resolveWindow(*trace, wrong);
        ASSERT_FALSE(window.has_value()) << wrong;
        EXPECT_EQ(window.error().kind, ErrorKind::WrongUse);
    }
    Builder foreign;
    foreign.kernel(0, 10, 0);
    EXPECT_FALSE(resolveWindow(*foreign.snapshot(), "phase:decode").has_value());
    foreign.range(3, 7, "phase:decode");  // a range of that name comes first
    EXPECT_EQ(resolveWindow(*foreign.snapshot(), "phase:decode").value(), (TimeRange{3, 7}));
}

TEST(Compare, StopsWhenAsked) {
    const Prepared run(eagerRun());
    std::stop_source source;
    source.request_stop();
    const Comparison comparison = compare(run.window(), run.window(), source.get_token());
    EXPECT_TRUE(comparison.figures.empty());
    EXPECT_TRUE(comparison.kernels.empty());
}

class CompareRandom : public testing::TestWithParam<int> {
protected:
    static TraceBuilder made(uint32_t seed) {
        RandomTraceShape shape;
        if (seed % 4 == 1) shape = {.deviceOps = 15, .calls = 12, .spanNs = 500};
        if (seed % 4 == 2) shape.calls = 0;
        shape.own = seed % 3 != 0;
        RandomTrace random(seed, shape);
        return random.build();
    }
};

TEST_P(CompareRandom, WithItselfNothingChanged) {
    const Prepared run(made(static_cast<uint32_t>(GetParam())));
    const Comparison comparison = compare(run.window(), run.window());
    for (const FigureDelta& figure : comparison.figures) {
        EXPECT_EQ(figure.before.has_value(), figure.after.has_value()) << figure.name;
        if (figure.before) {
            EXPECT_EQ(figure.difference(), 0) << figure.name;
        }
        EXPECT_EQ(figure.improved(), std::nullopt) << figure.name;
    }
    for (const PhaseDelta& phase : comparison.phases)
        for (const FigureDelta& figure : phase.figures)
            if (figure.before) {
                EXPECT_EQ(figure.difference(), 0) << figure.name;
            }
    for (const KernelDelta& kernel : comparison.kernels) {
        EXPECT_EQ(kernel.presence(), Presence::Both);
        EXPECT_EQ(kernel.differenceNs(), 0);
    }
    for (const WorkDelta& role : comparison.roles)
        EXPECT_EQ(role.differenceNs(), 0);
    for (const TokenDelta& token : comparison.tokens)
        EXPECT_TRUE(token.before && token.after && token.differenceNs() == 0);
}

TEST_P(CompareRandom, ExchangedIsNegatedAndSumsAreKept) {
    const auto seed = static_cast<uint32_t>(GetParam());
    const Prepared a(made(seed)), b(made(seed + 1000));
    const Comparison forth = compare(a.window(), b.window()), back = compare(b.window(), a.window());
    ASSERT_EQ(forth.figures.size(), back.figures.size());
    double causes = 0, categories = 0;
    for (size_t i = 0; i < forth.figures.size(); ++i) {
        const FigureDelta &left = forth.figures[i], &right = back.figures[i];
        EXPECT_EQ(left.name, right.name);
        EXPECT_EQ(left.before, right.after) << left.name;
        ASSERT_EQ(left.difference().has_value(), right.difference().has_value()) << left.name;
        if (left.difference()) {
            EXPECT_EQ(*left.difference(), -*right.difference()) << left.name;
        }
        if (left.improved()) {
            EXPECT_NE(left.improved(), right.improved()) << left.name;
        }
        if (left.name.starts_with("gapCauseNs.")) causes += left.difference().value();
        if (left.name.starts_with("categoryNs.")) categories += left.difference().value();
    }
    EXPECT_EQ(causes, differenceOf(forth, "gpuIdleNs"));
    EXPECT_EQ(categories, differenceOf(forth, "selfGpuNs"));

    ASSERT_EQ(forth.kernels.size(), back.kernels.size());
    int64_t difference = 0, before = 0;
    for (size_t i = 0; i < forth.kernels.size(); ++i) {
        EXPECT_EQ(forth.kernels[i].name, back.kernels[i].name);
        EXPECT_EQ(forth.kernels[i].differenceNs(), -back.kernels[i].differenceNs());
        EXPECT_EQ(forth.kernels[i].presence() == Presence::New, back.kernels[i].presence() == Presence::Gone);
        difference += forth.kernels[i].differenceNs();
        before += forth.kernels[i].before.totalNs;
    }
    EXPECT_EQ(before, forth.before.kernels.totalNs);
    EXPECT_EQ(difference, forth.after.kernels.totalNs - forth.before.kernels.totalNs);

    int64_t culprits = 0;
    for (const CulpritDelta& culprit : forth.culprits)
        culprits += culprit.differenceNs();
    EXPECT_EQ(culprits, differenceOf(forth, "gpuIdleNs"));
    for (const WindowFacts* facts : {&forth.before, &forth.after})
        for (const Prediction& prediction : facts->whatIf.predictions)
            EXPECT_EQ(std::ranges::count(kWhatIfTitles, prediction.name, &decltype(kWhatIfTitles)::value_type::first),
                      1)
                << prediction.name;

    int64_t roles = 0, layers = 0;
    for (const WorkDelta& role : forth.roles)
        roles += role.differenceNs();
    for (const WorkDelta& layer : forth.layers)
        layers += layer.differenceNs();
    EXPECT_EQ(roles, layers);
    ASSERT_EQ(forth.tokens.size(), back.tokens.size());
    size_t tokensBefore = 0;
    for (size_t i = 0; i < forth.tokens.size(); ++i) {
        EXPECT_EQ(forth.tokens[i].differenceNs(), -back.tokens[i].differenceNs());
        tokensBefore += forth.tokens[i].before.has_value();
    }
    EXPECT_EQ(tokensBefore, forth.before.tokens.rows.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompareRandom, testing::Range(0, 40));

}  // namespace gapscope
