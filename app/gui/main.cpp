// The program `gapscope`: the window.
#include <QApplication>
#include <QIcon>
#include <QProcess>
#include <cstdio>
#include <cstdlib>

#include "app/gui/settings/appearance.h"
#include "app/gui/window/command_line.h"
#include "app/gui/window/main_window.h"
#include "app/gui/window/screenshot.h"
#include "app/gui/window/test_report.h"

namespace {

constexpr const char* kNoDisplay =
    "There is no display to open a window on. Set DISPLAY or WAYLAND_DISPLAY, or use gapscope-cli.\n";

// Qt aborts when it cannot reach the display; a person deserves a sentence instead of a core file.
void onMessage(QtMsgType type, const QMessageLogContext&, const QString& message) {
    if (type == QtFatalMsg && message.contains(QLatin1String("platform plugin"))) {
        std::fputs(kNoDisplay, stderr);
        std::_Exit(1);
    }
    if (type == QtWarningMsg && message.contains(QLatin1String("could not connect to display"))) return;
    if (type == QtWarningMsg && message.contains(QLatin1String("Could not load the Qt platform plugin"))) return;
    std::fprintf(stderr, "%s\n", qPrintable(message));
}

bool startAgain(const QStringList& arguments) {
    // An AppImage's program lies in a mount that goes with the process.
    const QString image = qEnvironmentVariable("APPIMAGE");
    return QProcess::startDetached(image.isEmpty() ? QCoreApplication::applicationFilePath() : image, arguments);
}

bool hasDisplay() {
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
           qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

}  // namespace

int main(int argc, char** argv) {
    using namespace gapscope;
    const auto line = parseCommandLine(std::vector<std::string>(argv + 1, argv + argc));
    if (!line) {
        std::fprintf(stderr, "%s\n", line.error().message.c_str());
        return 2;
    }
    if (line->help) {
        std::fputs(commandLineHelp().c_str(), stdout);
        return 0;
    }
    if (line->version) {
        std::printf("gapscope %s\n", GAPSCOPE_VERSION);
        return 0;
    }
    if (!hasDisplay()) {
        std::fputs(kNoDisplay, stderr);
        return 1;
    }
    qInstallMessageHandler(onMessage);
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("gapscope"));
    QApplication::setApplicationName(QStringLiteral("gapscope"));
    QApplication::setApplicationDisplayName(QString());
    QApplication::setApplicationVersion(QStringLiteral(GAPSCOPE_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("io.github.gapscope.Gapscope"));
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/io.github.gapscope.Gapscope.svg")));
    QApplication::setStyle(makeStyle());

    AppSettings settings;
    ThemeChoice theme = settings.theme();
    if (line->theme) theme = *line->theme == "dark" ? ThemeChoice::Dark : ThemeChoice::Light;
    applyTheme(theme);

    MainWindow window(settings);
    window.setRestart(startAgain);
    if (line->width > 0) window.resize(line->width, line->height);
    window.show();
    if (line->screenshot) {
        window.setNoticesWanted(false);
        new Screenshot(window, QString::fromStdString(*line->screenshot));
    }
    if (const QString path = qEnvironmentVariable("GAPSCOPE_TEST_REPORT"); !path.isEmpty())
        new TestReport(window, path);
    if (line->compare) window.compareWhenOpened(QString::fromStdString(*line->compare));
    QStringList files;
    for (const std::string& file : line->files)
        files.append(QString::fromStdString(file));
    window.openFiles(files);
    if (line->resume) window.document().recover(QString::fromStdString(*line->resume));
    if (line->run) window.runWhenReady();
    return QApplication::exec();
}
