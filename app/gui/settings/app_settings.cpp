#include "app/gui/settings/app_settings.h"

namespace gapscope {
namespace {

constexpr int kMaxRecentFiles = 10;
constexpr int kMaxRowArrangements = 100;

const QString kGeometry = QStringLiteral("window/geometry");
const QString kSplitters = QStringLiteral("window/splitters/");
const QString kTheme = QStringLiteral("window/theme");
const QString kModel = QStringLiteral("run/model");
const QString kDevice = QStringLiteral("run/device");
const QString kPrecision = QStringLiteral("run/precision");
const QString kMode = QStringLiteral("run/mode");
const QString kSpeculation = QStringLiteral("run/speculation");
const QString kDraftTokens = QStringLiteral("run/draftTokens");
const QString kDraftModel = QStringLiteral("run/draftModel");
const QString kReusePrefix = QStringLiteral("run/reusePrefix");
const QString kTokens = QStringLiteral("run/tokens");
const QString kWarmup = QStringLiteral("run/warmup");
const QString kRepeats = QStringLiteral("run/repeats");
const QString kBatch = QStringLiteral("run/batch");
const QString kChat = QStringLiteral("run/chat");
const QString kPrompt = QStringLiteral("run/prompt");
const QString kRecentFiles = QStringLiteral("files/recent");
const QString kLastFolder = QStringLiteral("files/lastFolder");
const QString kColourBy = QStringLiteral("timeline/colourBy");
const QString kRows = QStringLiteral("rows/");
const QString kRowsOrder = QStringLiteral("rows/lastFirst");
const QString kWatchedFolder = QStringLiteral("files/watchedFolder");
const QString kGemmaNotice = QStringLiteral("notices/gemma");

}  // namespace

AppSettings::AppSettings() = default;

AppSettings::AppSettings(const QString& iniFile) : m_settings(iniFile, QSettings::IniFormat) {}

QByteArray AppSettings::geometry() const {
    return m_settings.value(kGeometry).toByteArray();
}
void AppSettings::setGeometry(const QByteArray& geometry) {
    m_settings.setValue(kGeometry, geometry);
}

QByteArray AppSettings::splitter(const QString& name) const {
    return m_settings.value(kSplitters + name).toByteArray();
}
void AppSettings::setSplitter(const QString& name, const QByteArray& state) {
    m_settings.setValue(kSplitters + name, state);
}

ThemeChoice AppSettings::theme() const {
    const QString text = m_settings.value(kTheme).toString();
    if (text == QStringLiteral("light")) return ThemeChoice::Light;
    if (text == QStringLiteral("dark")) return ThemeChoice::Dark;
    return ThemeChoice::System;
}

void AppSettings::setTheme(ThemeChoice theme) {
    m_settings.setValue(kTheme, theme == ThemeChoice::Light  ? QStringLiteral("light")
                                : theme == ThemeChoice::Dark ? QStringLiteral("dark")
                                                             : QStringLiteral("system"));
}

QString AppSettings::colourBy() const {
    return m_settings.value(kColourBy).toString();
}
void AppSettings::setColourBy(const QString& colourBy) {
    m_settings.setValue(kColourBy, colourBy);
}

RunChoices AppSettings::runChoices() const {
    const RunChoices defaults;
    RunChoices choices;
    choices.modelPath = m_settings.value(kModel).toString();
    choices.device = m_settings.value(kDevice, defaults.device).toString();
    choices.precision = m_settings.value(kPrecision, defaults.precision).toString();
    choices.mode = m_settings.value(kMode).toString();
    choices.speculation = m_settings.value(kSpeculation, defaults.speculation).toString();
    choices.draftTokens = m_settings.value(kDraftTokens, defaults.draftTokens).toInt();
    choices.draftModel = m_settings.value(kDraftModel).toString();
    choices.tokens = m_settings.value(kTokens, defaults.tokens).toInt();
    choices.warmup = m_settings.value(kWarmup, defaults.warmup).toInt();
    choices.repeats = m_settings.value(kRepeats, defaults.repeats).toInt();
    choices.batch = m_settings.value(kBatch, defaults.batch).toInt();
    choices.chat = m_settings.value(kChat, defaults.chat).toBool();
    choices.reusePrefix = m_settings.value(kReusePrefix, defaults.reusePrefix).toBool();
    return choices;
}

void AppSettings::setRunChoices(const RunChoices& choices) {
    m_settings.setValue(kModel, choices.modelPath);
    m_settings.setValue(kDevice, choices.device);
    m_settings.setValue(kPrecision, choices.precision);
    m_settings.setValue(kMode, choices.mode);
    m_settings.setValue(kSpeculation, choices.speculation);
    m_settings.setValue(kDraftTokens, choices.draftTokens);
    m_settings.setValue(kDraftModel, choices.draftModel);
    m_settings.setValue(kTokens, choices.tokens);
    m_settings.setValue(kWarmup, choices.warmup);
    m_settings.setValue(kRepeats, choices.repeats);
    m_settings.setValue(kBatch, choices.batch);
    m_settings.setValue(kChat, choices.chat);
    m_settings.setValue(kReusePrefix, choices.reusePrefix);
}

QString AppSettings::prompt() const {
    return m_settings.value(kPrompt).toString();
}
void AppSettings::setPrompt(const QString& prompt) {
    m_settings.setValue(kPrompt, prompt);
}

QStringList AppSettings::recentFiles() const {
    return m_settings.value(kRecentFiles).toStringList();
}

void AppSettings::addRecentFile(const QString& path) {
    QStringList files = recentFiles();
    files.removeAll(path);
    files.prepend(path);
    while (files.size() > kMaxRecentFiles)
        files.removeLast();
    m_settings.setValue(kRecentFiles, files);
}

QString AppSettings::lastFolder() const {
    return m_settings.value(kLastFolder).toString();
}
void AppSettings::setLastFolder(const QString& folder) {
    m_settings.setValue(kLastFolder, folder);
}

QByteArray AppSettings::rowArrangement(const QString& rows) const {
    return m_settings.value(kRows + rows).toByteArray();
}

void AppSettings::setRowArrangement(const QString& rows, const QByteArray& arrangement) {
    QStringList names = m_settings.value(kRowsOrder).toStringList();
    names.removeAll(rows);
    if (arrangement.isEmpty()) {
        m_settings.remove(kRows + rows);
    } else {
        names.prepend(rows);
        m_settings.setValue(kRows + rows, arrangement);
    }
    while (names.size() > kMaxRowArrangements)
        m_settings.remove(kRows + names.takeLast());
    m_settings.setValue(kRowsOrder, names);
}

QString AppSettings::watchedFolder() const {
    return m_settings.value(kWatchedFolder).toString();
}
void AppSettings::setWatchedFolder(const QString& folder) {
    m_settings.setValue(kWatchedFolder, folder);
}

void AppSettings::sync() {
    m_settings.sync();
}

bool AppSettings::gemmaNoticeShown() const {
    return m_settings.value(kGemmaNotice, false).toBool();
}
void AppSettings::setGemmaNoticeShown() {
    m_settings.setValue(kGemmaNotice, true);
}

}  // namespace gapscope
