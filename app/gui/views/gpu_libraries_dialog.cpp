#include "app/gui/views/gpu_libraries_dialog.h"

#include <QDialogButtonBox>
#include <QFileDialog>
#include <QGridLayout>
#include <QLabel>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "core/base/cuda_folder_setting.h"

namespace gapscope {
namespace {

constexpr int kWidth = 720;
constexpr int kListLines = 5;
constexpr int kFolderLines = 3;

QString pathText(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

Label* wrapped(LabelRole role, const QString& words, QWidget* parent) {
    auto* label = new Label(role, words, parent);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

}  // namespace

GpuLibrariesDialog::GpuLibrariesDialog(const QString& verdict, QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("gpuLibraries"));
    setWindowTitle(tr("GPU libraries"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 16, 20, 14);
    layout->setSpacing(10);
    layout->addWidget(wrapped(LabelRole::Heading, verdict, this));

    m_card = new Card(this);
    auto* frame = new QVBoxLayout(m_card);
    frame->setContentsMargins(12, 10, 12, 10);
    m_list = new Label(LabelRole::Quiet, tr("Looking…"), m_card);
    frame->addWidget(m_list);
    layout->addWidget(m_card);

    auto* caption = wrapped(LabelRole::Body, tr("Look in these folders first, one a line:"), this);
    layout->addWidget(caption);
    m_folders = new QPlainTextEdit(this);
    m_folders->setObjectName(QStringLiteral("libraryFolders"));
    m_folders->setAccessibleName(tr("Folders to look in first, one a line"));
    m_folders->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_folders->setTabChangesFocus(true);
    m_folders->setFixedHeight(fontMetrics().lineSpacing() * kFolderLines + 14);
    m_folders->setPlaceholderText(tr("For example /usr/local/cuda, or the lib folder of pip's nvidia packages"));
    caption->setBuddy(m_folders);
    layout->addWidget(m_folders);
    m_note = wrapped(LabelRole::Quiet, {}, this);
    m_note->setObjectName(QStringLiteral("libraryNote"));
    layout->addWidget(m_note);

    layout->addWidget(new Label(LabelRole::Quiet, tr("Looked for in this order:"), this));
    m_looked = new QListWidget(this);
    m_looked->setObjectName(QStringLiteral("lookedIn"));
    m_looked->setAccessibleName(tr("Folders that were looked in"));
    m_looked->setSelectionMode(QAbstractItemView::NoSelection);
    m_looked->setFixedHeight(fontMetrics().height() * kListLines + 12);
    layout->addWidget(m_looked);

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->button(QDialogButtonBox::Close)->setIcon(QIcon());
    auto* add = buttons->addButton(tr("&Add a folder…"), QDialogButtonBox::ActionRole);
    m_save = buttons->addButton(tr("&Save and look again"), QDialogButtonBox::ActionRole);
    m_save->setObjectName(QStringLiteral("saveFolders"));
    m_restart = buttons->addButton(tr("&Restart Gapscope"), QDialogButtonBox::ActionRole);
    m_restart->setObjectName(QStringLiteral("restartForLibraries"));
    m_restart->setToolTip(
        tr("Libraries that were looked for by a run are not looked for again before the next start."));
    m_restart->hide();
    layout->addWidget(buttons);
    connect(add, &QPushButton::clicked, this, &GpuLibrariesDialog::addFolder);
    connect(m_save, &QPushButton::clicked, this, &GpuLibrariesDialog::save);
    connect(m_restart, &QPushButton::clicked, this, &GpuLibrariesDialog::restartWanted);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_folders, &QPlainTextEdit::textChanged, this,
            [this] { m_save->setEnabled(settled() && m_folders->toPlainText() != m_saved); });
    m_save->setEnabled(false);
    setMinimumWidth(kWidth);
    fitHeight();
    look();
}

void GpuLibrariesDialog::look() {
    m_jobs.start([](std::stop_token) { return findGpuLibraryFacts(); },
                 [this](const GpuLibraryFacts& facts) { showFacts(facts); });
}

void GpuLibrariesDialog::showFacts(const GpuLibraryFacts& facts) {
    delete m_list;
    m_list = new QWidget(m_card);
    m_card->layout()->addWidget(m_list);
    auto* grid = new QGridLayout(m_list);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(14);
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(2, 1);
    int row = 0;
    for (const GpuLibrary& library : facts.libraries) {
        const QString advice = text(gpuLibraryAdvice(library));
        auto* mark = new QLabel(m_list);
        mark->setPixmap(lineIcon(advice.isEmpty() ? QStringLiteral("check") : QStringLiteral("warning"))
                            .pixmap(QSize(16, 16), devicePixelRatioF()));
        mark->setAccessibleName(advice.isEmpty() ? tr("found") : tr("missing"));
        grid->addWidget(mark, row, 0, Qt::AlignTop);
        grid->addWidget(new Label(LabelRole::Heading, text(library.name), m_list), row, 1, Qt::AlignTop);
        QStringList names;
        for (const std::string& file : library.fileNames)
            names << text(file);
        auto* words = new QVBoxLayout;
        words->setSpacing(1);
        words->addWidget(wrapped(LabelRole::Body, advice.isEmpty() ? pathText(library.path) : advice, m_list));
        words->addWidget(wrapped(LabelRole::Quiet,
                                 library.found.empty()
                                     ? tr("For %1. Looked for: %2").arg(text(library.purpose), names.join(", "))
                                     : tr("For %1").arg(text(library.purpose)),
                                 m_list));
        grid->addLayout(words, row, 2);
        ++row;
    }
    m_looked->clear();
    for (const std::filesystem::path& folder : facts.folders)
        m_looked->addItem(pathText(folder));
    m_looked->insertItem(static_cast<int>(facts.namedFolders),
                         tr("The folders of the system's loader (ldconfig, LD_LIBRARY_PATH)"));
    QStringList set;
    for (const std::filesystem::path& folder : facts.setFolders)
        set << pathText(folder);
    m_saved = set.join(QLatin1Char('\n'));
    m_folders->setPlainText(m_saved);
    const QString variable = qEnvironmentVariable("GAPSCOPE_CUDA_LIBRARIES");
    m_note->setText(tr("Kept in %1, also for gapscope-cli.").arg(pathText(facts.settingFile)) +
                    (variable.isEmpty() ? QString() : tr(" GAPSCOPE_CUDA_LIBRARIES comes before: %1").arg(variable)));
    m_save->setEnabled(false);
    m_list->show();  // what is not shown yet has no height in a layout
    fitHeight();
}

// Wrapped lines need the height that goes with the width, which nobody asks for inside a grid.
void GpuLibrariesDialog::fitHeight() {
    const QMargins margins = layout()->contentsMargins();
    m_card->setMinimumHeight(m_card->layout()->totalHeightForWidth(minimumWidth() - margins.left() - margins.right()));
    resize(width(), std::max(height(), layout()->totalHeightForWidth(width())));
}

void GpuLibrariesDialog::addFolder() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder of GPU libraries"));
    if (folder.isEmpty()) return;
    QString lines = m_folders->toPlainText();
    if (!lines.isEmpty() && !lines.endsWith(QLatin1Char('\n'))) lines += QLatin1Char('\n');
    m_folders->setPlainText(lines + folder);
}

void GpuLibrariesDialog::save() {
    std::vector<std::filesystem::path> folders;
    for (const QString& line : m_folders->toPlainText().split(QLatin1Char('\n')))
        if (!line.trimmed().isEmpty()) folders.emplace_back(line.trimmed().toStdString());
    if (const Status kept = writeCudaFolderSetting(folders); !kept) {
        m_note->setText(text(kept.error().message));
        return;
    }
    m_restart->show();
    m_save->setEnabled(false);
    look();
}

}  // namespace gapscope
