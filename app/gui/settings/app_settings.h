// Everything the program remembers between starts, by name and type; the only user of QSettings.
#pragma once

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

namespace gapscope {

enum class ThemeChoice { System, Light, Dark };

// The run bar's choices. Empty texts mean the default of the device or model.
struct RunChoices {
    QString modelPath;
    QString device = QStringLiteral("auto");
    QString precision = QStringLiteral("file");
    QString mode;
    QString speculation = QStringLiteral("off");
    int draftTokens = 4;  // of a step, with speculation
    QString draftModel;   // file, for speculation "model"
    int tokens = 64;
    int warmup = 1;
    int repeats = 1;
    int batch = 1;  // most prompts at a time; above 1 each line of the prompt is one
    bool chat = false;
    bool reusePrefix = false;
    bool operator==(const RunChoices&) const = default;
};

class AppSettings {
public:
    AppSettings();
    // For tests: settings in a file of their own.
    explicit AppSettings(const QString& iniFile);

    QByteArray geometry() const;
    void setGeometry(const QByteArray& geometry);
    QByteArray splitter(const QString& name) const;
    void setSplitter(const QString& name, const QByteArray& state);

    ThemeChoice theme() const;
    void setTheme(ThemeChoice theme);

    QString colourBy() const;  // of the timeline, as kColourByNames; empty: never changed
    void setColourBy(const QString& colourBy);

    RunChoices runChoices() const;
    void setRunChoices(const RunChoices& choices);
    QString prompt() const;  // empty: never changed
    void setPrompt(const QString& prompt);

    // Newest first; files that are gone stay listed, for they may come back (a medium, a share).
    QStringList recentFiles() const;
    void addRecentFile(const QString& path);
    QString lastFolder() const;
    void setLastFolder(const QString& folder);
    QString watchedFolder() const;  // empty: none
    void setWatchedFolder(const QString& folder);

    // How the rows of a timeline were arranged, by a name for the rows that it has; empty: as they come. The last
    // hundred are kept.
    QByteArray rowArrangement(const QString& rows) const;
    void setRowArrangement(const QString& rows, const QByteArray& arrangement);

    void sync();  // to the file, for another program to read

    bool gemmaNoticeShown() const;
    void setGemmaNoticeShown();

private:
    QSettings m_settings;
};

}  // namespace gapscope
