#include "app/gui/window/screenshot.h"

#include <QApplication>
#include <QPixmap>
#include <cstdio>

namespace gapscope {
namespace {

constexpr int kCheckMs = 100;
constexpr int kQuietMs = 1500;  // animations and queued replots are over

}  // namespace

Screenshot::Screenshot(MainWindow& window, const QString& path) : QObject(&window), m_window(window), m_path(path) {
    m_timer.setInterval(kCheckMs);
    connect(&m_timer, &QTimer::timeout, this, &Screenshot::check);
    m_timer.start();
}

void Screenshot::check() {
    if (!m_window.settled()) {
        m_settledSince.invalidate();
        return;
    }
    if (!m_settledSince.isValid()) m_settledSince.start();
    if (m_settledSince.elapsed() < kQuietMs) return;
    m_timer.stop();
    const bool saved = m_window.grab().save(m_path, "PNG");
    if (!saved)
        std::fprintf(stderr, "Could not write the picture to %s. Check that its folder exists and can be written.\n",
                     qPrintable(m_path));
    m_window.document().discard();
    QApplication::exit(saved ? 0 : 1);
}

}  // namespace gapscope
