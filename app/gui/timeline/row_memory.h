// Remembers how the rows were arranged, and arranges them so again when a trace with the same rows is shown.
#pragma once

#include <QObject>

#include "app/gui/settings/app_settings.h"
#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

// As stored; what cannot be read is left out.
QByteArray toJson(const RowArrangement& rows);
RowArrangement rowArrangementFrom(const QByteArray& json);

class RowMemory : public QObject {
    Q_OBJECT

public:
    RowMemory(AppSettings& settings, Session& session, TimelineWidget& timeline, QObject* parent = nullptr);

private:
    void recall();
    void remember();
    QString nameOfRows() const;

    AppSettings& m_settings;
    Session& m_session;
    TimelineWidget& m_timeline;
    bool m_recalling = false;
    bool m_personal = false;  // the person arranged them since the trace was opened
};

}  // namespace gapscope
