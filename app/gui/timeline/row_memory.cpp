#include "app/gui/timeline/row_memory.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace gapscope {

namespace {

template <class Texts>
QJsonArray toArray(const Texts& texts) {
    QJsonArray array;
    for (const std::string& text : texts)
        array.append(QString::fromStdString(text));
    return array;
}

std::vector<std::string> textsOf(const QJsonValue& value) {
    std::vector<std::string> texts;
    for (const auto& text : value.toArray())
        if (text.isString()) texts.push_back(text.toString().toStdString());
    return texts;
}

}  // namespace

QByteArray toJson(const RowArrangement& rows) {
    QJsonObject heights;
    for (const auto& [key, height] : rows.laneHeights)
        heights.insert(QString::fromStdString(key), height);
    return QJsonDocument(QJsonObject{{QStringLiteral("folded"), toArray(rows.folded)},
                                     {QStringLiteral("hidden"), toArray(rows.hidden)},
                                     {QStringLiteral("pinned"), toArray(rows.pinned)},
                                     {QStringLiteral("order"), toArray(rows.order)},
                                     {QStringLiteral("laneHeights"), heights}})
        .toJson(QJsonDocument::Compact);
}

RowArrangement rowArrangementFrom(const QByteArray& json) {
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    RowArrangement rows;
    const std::vector<std::string> folded = textsOf(object.value(QStringLiteral("folded")));
    const std::vector<std::string> hidden = textsOf(object.value(QStringLiteral("hidden")));
    rows.folded = {folded.begin(), folded.end()};
    rows.hidden = {hidden.begin(), hidden.end()};
    rows.pinned = textsOf(object.value(QStringLiteral("pinned")));
    rows.order = textsOf(object.value(QStringLiteral("order")));
    const QJsonObject heights = object.value(QStringLiteral("laneHeights")).toObject();
    for (auto it = heights.begin(); it != heights.end(); ++it)
        if (it.value().isDouble())
            rows.laneHeights[it.key().toStdString()] = std::clamp(it.value().toInt(), kLowestLane, kHighestLane);
    return rows;
}

RowMemory::RowMemory(AppSettings& settings, Session& session, TimelineWidget& timeline, QObject* parent)
    : QObject(parent), m_settings(settings), m_session(session), m_timeline(timeline) {
    connect(&timeline, &TimelineWidget::rowsChanged, this, &RowMemory::recall);
    connect(&session, &Session::rowArrangementChanged, this, &RowMemory::remember);
}

QString RowMemory::nameOfRows() const {
    std::vector<std::string> keys = rowKeys(m_timeline.index().tree());
    if (keys.empty()) return {};
    std::ranges::sort(keys);
    QCryptographicHash hash(QCryptographicHash::Sha1);
    for (const std::string& key : keys)
        hash.addData(QByteArray::fromStdString(key + '\n'));
    return QString::fromLatin1(hash.result().toHex());
}

void RowMemory::recall() {
    const QString name = nameOfRows();
    if (name.isEmpty()) return;
    const bool arranged = !m_session.rowArrangement().empty();
    // A session that keeps how its rows stood has the last word.
    if (!m_session.trace()->annotations().rows.empty()) {
        m_personal = false;
        return;
    }
    // A run that grows new rows takes along what the person arranged since it began.
    if (arranged && m_personal) return remember();
    m_personal = false;
    const RowArrangement known = rowArrangementFrom(m_settings.rowArrangement(name));
    if (known.empty() && arranged) return;
    m_recalling = true;
    m_session.setRowArrangement(known, RowStep::Restored);
    m_recalling = false;
}

void RowMemory::remember() {
    if (m_recalling) return;
    // As the opened session has them: nothing that was chosen here.
    const RowArrangement& kept = m_session.trace()->annotations().rows;
    if (!kept.empty() && kept == m_session.rowArrangement()) return;
    m_personal = true;
    const RowArrangement& rows = m_session.rowArrangement();
    if (const QString name = nameOfRows(); !name.isEmpty())
        m_settings.setRowArrangement(name, rows.empty() ? QByteArray() : toJson(rows));
}

}  // namespace gapscope
