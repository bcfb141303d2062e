// The main job in the real window, driven by events alone and checked while it goes on: choices in the run bar, Run,
// text that streams and rows that fill, zoom by the wheel to three depths, Save as, and the file opened again. Made for
// a GPU without a display (QT_QPA_PLATFORM=offscreen), and proven on the CPU by ctest. gpu_window_run.py compares the
// numbers with gapscope-cli's.
//
//   gpu_window_run --model PATH --out FOLDER [--device auto|cpu|cuda:0] [--mode eager] [--precision file] [--tokens 64]
//                  [--prompt TEXT]
//
// Prints one JSON object; exits with 1 when a check fails. Pictures and the session go to FOLDER.
#include <QApplication>
#include <QComboBox>
#include <QCommandLineParser>
#include <QDialogButtonBox>
#include <QDir>
#include <QElapsedTimer>
#include <QFileDialog>
#include <QFileInfo>
#include <QIcon>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>
#include <algorithm>
#include <cstdio>
#include <set>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/theme.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/window/main_window.h"
#include "app/gui/window/test_report.h"
#include "core/base/json_writer.h"

using namespace gapscope;

namespace {

constexpr int kPatienceMs = 240'000;  // loading the largest model and its whole run
constexpr int kLookMs = 20;
constexpr int kActMs = 200;  // between what is done in a dialog
constexpr int kMostActs = 100;
constexpr int kQuietMs = 600;       // without a change: everything has come to rest
constexpr size_t kFewestSteps = 3;  // of what must grow while a run goes on
constexpr int kMostNotches = 400;   // from a long run to one kernel are about 80
constexpr int kFewestPixels = 50;   // in the colours of kernels: the rows are drawn
constexpr QSize kWindow(1600, 900);

struct Choices {
    QString model, device, mode, precision, prompt;
    int tokens = 0;
};

// What could be seen at one moment of the run.
struct Moment {
    int64_t ms = 0;
    size_t deviceOps = 0;  // in the session
    size_t drawn = 0;      // taken up by the timeline
    size_t tokens = 0;
    qsizetype text = 0;  // characters of output
    bool operator==(const Moment& other) const {
        return deviceOps == other.deviceOps && drawn == other.drawn && tokens == other.tokens && text == other.text;
    }
};

class Driver {
public:
    Driver(MainWindow& window, const QString& folder) : m_window(window), m_folder(folder) {
        m_timeline = &part<TimelineWidget>("timeline");
    }

    bool run(const Choices& choices);
    std::string json() const;

private:
    template <class Widget>
    Widget& part(const char* name) {
        return *m_window.findChild<Widget*>(QLatin1String(name));
    }

    // One that fails ends the job: what came after would say nothing.
    bool check(const char* name, bool ok, const QString& detail = {}) {
        m_checks.push_back({name, ok, detail});
        if (!ok) std::fprintf(stderr, "FAILED: %s %s\n", name, qPrintable(detail));
        return ok;
    }
    template <class Condition>
    static bool waitFor(Condition condition, int patienceMs = kPatienceMs) {
        QElapsedTimer clock;
        clock.start();
        while (!condition()) {
            if (clock.elapsed() > patienceMs) return false;
            QTest::qWait(kLookMs);
        }
        return true;
    }
    // Nothing is computed any more, and the view no longer moves.
    bool rest();

    bool choose(const char* box, const QString& data);
    bool fill(const char* box, int value);
    void write(const QString& prompt);
    bool watch();
    bool wroteAll(int tokens);
    Moment look(const QElapsedTimer& clock);
    template <class Value>
    bool grows(const char* name, Value Moment::*value);

    Session& session() { return m_window.session(); }
    int64_t visibleNs() { return session().visibleRange().durationNs(); }
    QPoint at(int64_t timeNs, int y);
    void notch(QPoint position, int angle);
    bool zoomTo(TimeRange target, double share);
    bool zoomOut();
    bool zoomThroughDepths();
    bool picture(const char* name);

    bool saveAs(const QString& path);
    bool sameAfterOpening(const QString& path);
    std::string numbers();

    struct Check {
        const char* name;
        bool ok;
        QString detail;
    };

    MainWindow& m_window;
    TimelineWidget* m_timeline;
    QString m_folder;
    QString m_session;
    std::vector<Check> m_checks;
    std::vector<Moment> m_moments;  // those that differ from the one before
    QStringList m_pictures;
    std::string m_numbers;
};

bool Driver::rest() {
    TimeRange seen;
    QElapsedTimer quiet;
    quiet.start();
    return waitFor([&] {
        if (!m_window.settled() || session().visibleRange() != seen) {
            seen = session().visibleRange();
            quiet.restart();
        }
        return quiet.elapsed() > kQuietMs;
    });
}

bool Driver::choose(const char* name, const QString& data) {
    auto& box = part<QComboBox>(name);
    const int wanted = box.findData(data);
    QStringList offered;
    for (int i = 0; i < box.count(); ++i)
        offered.append(box.itemData(i).toString());
    if (!check(name, wanted >= 0, QStringLiteral("%1 of %2").arg(data, offered.join(QLatin1Char(' '))))) return false;
    box.setFocus();
    for (int i = 0; i < box.count() && box.currentIndex() != wanted; ++i)
        QTest::keyClick(&box, box.currentIndex() < wanted ? Qt::Key_Down : Qt::Key_Up);
    return check("chosen by keys", box.currentIndex() == wanted, QLatin1String(name));
}

bool Driver::fill(const char* name, int value) {
    auto& box = part<QSpinBox>(name);
    box.setFocus();
    QTest::keyClick(&box, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(&box, QString::number(value));
    return check("typed", box.value() == value, QStringLiteral("%1: %2").arg(QLatin1String(name)).arg(box.value()));
}

void Driver::write(const QString& prompt) {
    auto& edit = part<QPlainTextEdit>("promptEdit");
    edit.setFocus();
    QTest::keyClick(&edit, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(&edit, prompt);
}

Moment Driver::look(const QElapsedTimer& clock) {
    const TracePtr trace = session().trace();
    return {.ms = clock.elapsed(),
            .deviceOps = trace->deviceOps().startNs.size(),
            .drawn = m_timeline->index().trace().deviceOps().startNs.size(),
            .tokens = trace->tokens().index.size(),
            .text = m_window.promptPanel().output().size()};
}

// Never less than before, and more in several steps before the end.
template <class Value>
bool Driver::grows(const char* name, Value Moment::*value) {
    std::set<Value> seen;
    bool monotone = true;
    for (size_t i = 0; i < m_moments.size(); ++i) {
        seen.insert(m_moments[i].*value);
        if (i > 0) monotone = monotone && m_moments[i].*value >= m_moments[i - 1].*value;
    }
    seen.erase(Value{});
    return check(name, monotone && seen.size() >= kFewestSteps,
                 QStringLiteral("%1 steps, %2").arg(seen.size()).arg(monotone ? "growing" : "not monotone"));
}

// From the click to the end. Moments are kept while the run goes on only: what the end adds is no sign of life.
bool Driver::watch() {
    QElapsedTimer clock;
    clock.start();
    bool pictured = false;
    const bool ended = waitFor([&] {
        if (!m_window.runs().running()) return true;
        const Moment now = look(clock);
        // The text of a warm-up gives way to that of the run.
        if (!m_moments.empty() && now.text < m_moments.back().text && now.tokens == 0) m_moments.clear();
        if (m_moments.empty() || !(now == m_moments.back())) m_moments.push_back(now);
        if (!pictured && now.drawn > 0 && m_moments.size() > kFewestSteps) pictured = picture("running");
        return false;
    });
    return check("the run ended", ended) && check("a picture while it ran", pictured) &&
           grows("text streams", &Moment::text) && grows("device operations arrive", &Moment::deviceOps) &&
           grows("the timeline takes them up", &Moment::drawn) && grows("tokens arrive", &Moment::tokens);
}

// Or up to an end token, which random weights may choose too.
bool Driver::wroteAll(int tokens) {
    const Trace& trace = *session().trace();
    return trace.tokens().index.size() == static_cast<size_t>(tokens) ||
           (trace.run() && trace.run()->stopReason == "end token");
}

bool Driver::picture(const char* name) {
    const QString path = m_folder + QLatin1Char('/') + QLatin1String(name) + QStringLiteral(".png");
    const QImage image = m_window.grab().toImage();
    m_pictures.append(path);
    if (!check("picture written", image.save(path), path)) return false;
    const QRect rows = m_timeline->parts().rows.translated(m_timeline->viewport()->mapTo(&m_window, QPoint()));
    std::set<QRgb> kernels;
    for (const QColor& colour : Theme::of(m_window.palette()).categories)
        kernels.insert(colour.rgb());
    int drawn = 0;
    for (int y = rows.top(); y <= rows.bottom(); ++y)
        for (int x = rows.left(); x <= rows.right(); ++x)
            drawn += kernels.contains(image.pixel(x, y));
    return check("kernels are drawn", drawn >= kFewestPixels,
                 QStringLiteral("%1: %2 pixels").arg(QLatin1String(name)).arg(drawn));
}

QPoint Driver::at(int64_t timeNs, int y) {
    return {m_timeline->parts().rows.left() + static_cast<int>(m_timeline->frame().scale.xOf(timeNs)), y};
}

void Driver::notch(QPoint position, int angle) {
    QWidget* rows = m_timeline->viewport();
    QWheelEvent event(position, rows->mapToGlobal(position), {}, {0, angle}, Qt::NoButton, Qt::ControlModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(rows, &event);
    QTest::qWait(1);
}

// Until `target` fills at least `share` of the width.
bool Driver::zoomTo(TimeRange target, double share) {
    const int64_t middle = target.startNs + target.durationNs() / 2;
    const auto close = [&] {
        return static_cast<double>(target.durationNs()) >= share * static_cast<double>(visibleNs());
    };
    for (int i = 0; i < kMostNotches && !close(); ++i)
        notch(at(middle, m_timeline->parts().rows.center().y()), 120);
    return check("the wheel zooms in", close() && session().visibleRange().contains(middle),
                 QStringLiteral("%1 ns in %2 ns").arg(target.durationNs()).arg(visibleNs()));
}

bool Driver::zoomOut() {
    const TimeRange whole = session().trace()->extent();
    const auto out = [&] {
        const TimeRange visible = session().visibleRange();
        return visible.startNs <= whole.startNs && visible.endNs >= whole.endNs;
    };
    for (int i = 0; i < kMostNotches && !out(); ++i)
        notch(m_timeline->parts().rows.center(), -120);
    return check("the wheel zooms out", out());
}

bool Driver::zoomThroughDepths() {
    if (!zoomOut() || !rest() || !picture("whole")) return false;

    const std::vector<TokenSpan>& tokens = m_timeline->index().tokens();
    if (!check("the timeline has tokens", tokens.size() > 2)) return false;
    // The nearest to the middle of the view: zooming leaves things where they stand.
    const auto middle = [](TimeRange range) { return range.startNs + range.durationNs() / 2; };
    const int64_t centre = middle(session().visibleRange());
    const auto offCentre = [&](const TokenSpan& span) { return std::abs(middle(span.range) - centre); };
    const TimeRange token = std::ranges::min_element(tokens, {}, offCentre)->range;
    if (!zoomTo(token, 0.7) || !rest() || !picture("token")) return false;

    // A kernel in sight, as long as most are.
    const DeviceOps& ops = session().trace()->deviceOps();
    std::vector<size_t> kernels;
    for (size_t i = 0; i < ops.startNs.size(); ++i)
        if (ops.kind[i] == DeviceOpKind::Kernel && token.contains(ops.startNs[i]) &&
            session().visibleRange().contains(middle({ops.startNs[i], ops.endNs[i]})))
            kernels.push_back(i);
    if (!check("the token has kernels", !kernels.empty())) return false;
    const auto median = kernels.begin() + static_cast<std::ptrdiff_t>(kernels.size() / 2);
    std::nth_element(kernels.begin(), median, kernels.end(),
                     [&](size_t a, size_t b) { return ops.endNs[a] - ops.startNs[a] < ops.endNs[b] - ops.startNs[b]; });
    const size_t chosen = *median;
    const TimeRange kernel{ops.startNs[chosen], ops.endNs[chosen]};
    if (!zoomTo(kernel, 0.3) || !rest()) return false;
    const TimelineIndex::Place place = m_timeline->index().placeOf(RowKind::Stream, static_cast<uint32_t>(chosen));
    if (!check("the kernel has a row", place.row >= 0)) return false;
    const RowPlace& row = m_timeline->frame().places[static_cast<size_t>(place.row)];
    m_timeline->verticalScrollBar()->setValue(row.y + row.height - m_timeline->parts().rows.height());
    const int y =
        m_timeline->parts().rows.top() + row.laneY(place.lane) - m_timeline->frame().scrollY + row.laneHeight / 2;
    QTest::mouseClick(m_timeline->viewport(), Qt::LeftButton, {}, at(middle(kernel), y));
    const Selection& selected = session().selection();
    if (!check("a click selects the kernel", selected.kind == Selection::Kind::DeviceOp && selected.row == chosen))
        return false;
    if (!rest() || !picture("kernel")) return false;
    QTest::keyClick(&m_window, Qt::Key_Escape);
    return check("Esc clears the selection", session().selection().kind == Selection::Kind::None) && rest();
}

// The dialog runs its own loop; a timer acts in it, and as a person does, again where the first time did not take.
bool Driver::saveAs(const QString& path) {
    QFile::remove(path);
    QTimer hand;
    int acts = 0;
    QObject::connect(&hand, &QTimer::timeout, &m_window, [&] {
        auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
        if (!dialog) return;
        auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"));
        if (++acts > kMostActs) return dialog->reject();
        if (name->text() != path) {
            QTest::keyClick(name, Qt::Key_A, Qt::ControlModifier);
            QTest::keyClicks(name, path);
        } else {
            const auto* buttons = dialog->findChild<QDialogButtonBox*>(QStringLiteral("buttonBox"));
            QTest::mouseClick(buttons->button(QDialogButtonBox::Save), Qt::LeftButton);
        }
    });
    hand.start(kActMs);
    QTest::keyClick(&m_window, Qt::Key_S, Qt::ControlModifier | Qt::ShiftModifier);
    const auto saved = [&] { return m_window.document().path() == path && !m_window.document().busy(); };
    return check("saved", acts > 0 && acts <= kMostActs && waitFor(saved) && !m_window.document().isModified() &&
                              QFileInfo(path).size() > 0);
}

std::string Driver::numbers() {
    JsonWriter json;
    json.beginObject();
    if (const ReportPtr report = m_window.analyst().report()) writeSummary(json, *report);
    return json.endObject().text();
}

bool Driver::sameAfterOpening(const QString& path) {
    const QString output = m_window.promptPanel().output();
    const TracePtr saved = session().trace();
    m_window.openFile(path);
    return check("opened again", waitFor([&] { return m_window.settled() && session().trace() != saved; }) && rest()) &&
           check("the same numbers", numbers() == m_numbers, QString::fromStdString(numbers())) &&
           check("the same text", m_window.promptPanel().output() == output);
}

bool Driver::run(const Choices& choices) {
    if (!check("the machine is known", waitFor([&] { return m_window.settled(); }))) return false;
    if (!choose("modelBox", choices.model) || !choose("deviceBox", choices.device) ||
        !choose("precisionBox", choices.precision) || !choose("modeBox", choices.mode) ||
        !fill("tokensBox", choices.tokens) || !fill("warmupBox", 0))
        return false;
    auto& button = part<QWidget>("runActionButton");
    if (!check("Run is offered", button.isVisible() && button.isEnabled())) return false;
    write(choices.prompt);
    QTest::mouseClick(&button, Qt::LeftButton);
    // On a GPU the window looks first whether it is still there.
    if (!check("Run starts a run", waitFor([&] { return m_window.runs().running(); }), m_window.banners().sentences().join(QLatin1Char(' '))))
        return false;
    if (!watch() || !rest()) return false;
    if (!check("no complaint", m_window.banners().count() == 0,
               m_window.banners().sentences().join(QLatin1Char(' '))) ||
        !check("it wrote what was asked for", wroteAll(choices.tokens)) ||
        !check("the run is unsaved", m_window.document().isModified()) || !picture("after_run"))
        return false;
    m_numbers = numbers();
    if (!zoomThroughDepths() || !check("looking changes no number", numbers() == m_numbers)) return false;
    m_session = m_folder + QStringLiteral("/window.gapscope");
    return saveAs(m_session) && sameAfterOpening(m_session);
}

std::string Driver::json() const {
    JsonWriter json;
    json.beginObject().key("checks").beginArray();
    for (const Check& each : m_checks)
        json.beginObject()
            .field("name", each.name)
            .field("ok", each.ok)
            .field("detail", each.detail.toStdString())
            .endObject();
    json.endArray();
    json.field("device", m_window.runBar().deviceName().toStdString());
    json.field("session", QFileInfo(m_session).fileName().toStdString());
    json.field("output", m_window.promptPanel().output().toStdString());
    json.key("pictures").beginArray();
    for (const QString& path : m_pictures)
        json.value(QFileInfo(path).fileName().toStdString());
    json.endArray().key("moments").beginArray();
    for (const Moment& moment : m_moments) {
        json.beginObject().field("ms", moment.ms).field("deviceOps", moment.deviceOps).field("drawn", moment.drawn);
        json.field("tokens", moment.tokens).field("text", static_cast<int64_t>(moment.text)).endObject();
    }
    json.endArray();
    if (const ReportPtr report = m_window.analyst().report()) writeSummary(json, *report);
    return json.endObject().text();
}

}  // namespace

int main(int argc, char** argv) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    qputenv("GAPSCOPE_NO_ANIMATION", "1");
    QApplication application(argc, argv);
    QApplication::setStyle(QStringLiteral("Fusion"));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/io.github.gapscope.Gapscope.svg")));
    QCommandLineParser parser;
    parser.addOptions({{"model", "GGUF file or folder", "path"},
                       {"out", "where pictures and the session go", "folder"},
                       {"device", "auto, cpu, cuda:0", "id", "auto"},
                       {"mode", "eager, fused, graph", "name", "eager"},
                       {"precision", "file, fp32, bf16, int8", "name", "file"},
                       {"tokens", "how many", "count", "64"},
                       {"prompt", "text", "text", "the gpu waits while the cpu prepares the next launch"}});
    parser.process(application);
    const QString folder = QDir(parser.value("out")).absolutePath();
    if (parser.value("model").isEmpty() || parser.value("out").isEmpty() || !QDir().mkpath(folder)) {
        std::fprintf(stderr,
                     "gpu_window_run: --model PATH and --out FOLDER are needed, and the folder to be writable.\n");
        return 2;
    }
    // Settings and unsaved sessions of its own; the model is found as a person's would be.
    const QTemporaryDir home;
    qputenv("XDG_STATE_HOME", home.filePath("state").toLocal8Bit());
    const QString model = QDir(parser.value("model")).absolutePath();
    qputenv("GAPSCOPE_MODELS", model.toLocal8Bit());
    AppSettings settings(home.filePath("settings.ini"));
    applyTheme(ThemeChoice::Light);

    MainWindow window(settings);
    window.setNoticesWanted(false);
    window.resize(kWindow);
    window.show();
    Driver driver(window, folder);
    const bool passed = driver.run({.model = model,
                                    .device = parser.value("device"),
                                    .mode = parser.value("mode"),
                                    .precision = parser.value("precision"),
                                    .prompt = parser.value("prompt"),
                                    .tokens = parser.value("tokens").toInt()});
    std::puts(driver.json().c_str());
    window.document().discard();
    return passed ? 0 : 1;
}
